"""A year of a shop: real orders and many like them, late suppliers, impatient customers, and an audit each day."""

from bo_worker.year.program import run

__all__ = ["run"]
