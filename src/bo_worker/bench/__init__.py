"""Measures the worker on real servers."""
