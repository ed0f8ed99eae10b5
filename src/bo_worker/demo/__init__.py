"""The demonstration: real servers, real orders, and what the worker makes of them."""

from bo_worker.demo.program import run

__all__ = ["run"]
