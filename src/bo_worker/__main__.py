"""The command `bo-worker`, also as `python -m bo_worker`."""

from __future__ import annotations

import sys

from bo_worker.cli import main

if __name__ == "__main__":
    sys.exit(main())
