"""How fast the worker is, on real servers and with a worker process of its own."""
