"""`python -m benchmarks`: the worker's own benchmark, and side by side with it a worker that goes by the message."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.baseline_worker import make_schema

from bo_worker.bench.contender import Contender
from bo_worker.bench.run import SCENARIOS, Plan, run_bench

BASELINE = Contender(
    "per-message worker",
    ("env", f"PYTHONPATH={Path(__file__).parents[1]}", sys.executable, "-m", "benchmarks.baseline_worker"),
    make_schema,
    """
    insert into baseline.stock (sku, location, on_hand, allocated)
    select unnest($1::text[]), $2::text, $3::bigint, 0
    """,
    """
    select
        (select count(*) from baseline.customer_order) as orders,
        (select coalesce(sum(allocated), 0)::bigint from baseline.stock) as given,
        (select coalesce(sum(backordered), 0)::bigint from baseline.order_line) as waiting
    """,
)


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: under two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    parser.add_argument("--orders", type=int, help="orders to drain")
    parser.add_argument("scenarios", nargs="*", help=f"{', '.join(SCENARIOS)}; all of them by default")
    arguments = parser.parse_args()
    plan = Plan.quick() if arguments.quick else Plan()
    return run_bench(plan.narrowed(arguments.scenarios, arguments.orders), arguments.json, baseline=BASELINE)


if __name__ == "__main__":
    sys.exit(main())
