"""`python -m bo_worker.demo`."""

import sys

from bo_worker.demo import run

N = int(sys.argv[sys.argv.index("--orders") + 1]) if "--orders" in sys.argv else None
sys.exit(run(keep_running="--keep-running" in sys.argv, orders=N))
