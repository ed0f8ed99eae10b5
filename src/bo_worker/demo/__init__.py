"""The demonstration: real servers, real orders, and what the worker makes of them."""
