"""The command `bo-worker`, also as `python -m bo_worker`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run a command and return its exit code."""
    if sys.argv[1:2] == ["run"]:
        # A worker that is told to end while it is still being loaded has nothing to finish.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bo_worker.cli import main as run_command  # noqa: PLC0415 - what takes time comes after the above

    return run_command()


if __name__ == "__main__":
    sys.exit(main())
