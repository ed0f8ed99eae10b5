"""`stack`: Kafka and Postgres for development, for as long as the command runs."""

from __future__ import annotations

import shlex
import signal
import sys
from contextlib import suppress

from bo_worker.cli.output import print_line
from bo_worker.stack.servers import servers


def run_stack() -> None:
    """Start servers, print the variables that name them, and stop them at Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), servers(_progress) as found:
        print_line(f"export BO_KAFKA_BOOTSTRAP_SERVERS={shlex.quote(found.bootstrap_servers)}")
        print_line(f"export BO_DATABASE_URL={shlex.quote(found.database_url)}")
        sys.stdout.flush()
        _progress(
            "ready: in another terminal set these, then `bo-worker migrate`, `topics` and `run`; Ctrl-C ends it"
        )
        signal.pause()


def _progress(phrase: str) -> None:
    sys.stderr.write(f"{phrase}\n")
