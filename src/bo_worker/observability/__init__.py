"""Logs, metrics and health, each with one list of everything it emits."""
