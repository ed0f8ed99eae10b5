"""The demonstration: real servers, real orders, and what the worker makes of them."""

from bo_worker.demo.run import run

__all__ = ["run"]
