"""The worker as a process of its own, as it runs in production, which we may also kill."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Self

from bo_worker.config import Settings
from bo_worker.setting_texts import variable_of
from bo_worker.stack.process import HOST, GuardedProcess, ReservedPort

LOG_LINES_SHOWN = 20
# The fields of the settings that say where this worker is to work.
PASSED_ON = ("kafka_bootstrap_servers", "topic_prefix", "kafka_group_id")


class WorkerProcess:
    """`bo-worker run` on given servers, from the beginning of the context to its end at the latest. Blocking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="bo-worker-demo-"))
        self._port = ReservedPort()
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        try:
            self._end(signal.SIGTERM)
        finally:  # a second Ctrl-C does not wait for an orderly end
            self._end(signal.SIGKILL)
            self._port.release()
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process and self._process.running else None

    @property
    def url(self) -> str:
        """Where it answers /readyz and /metrics."""
        return f"http://{HOST}:{self._port.number}"

    @property
    def log_tail(self) -> str:
        """The end of what it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        self._port.lend()
        self._process = GuardedProcess(
            ["env", *self._environment(), sys.executable, "-m", "bo_worker", "run"],
            folder=self._folder,
            log=self._log,
            end_signal=signal.SIGKILL,
            identity=None,
        )

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number)
        self._process = None

    def variables(self) -> dict[str, str]:
        """The variables that lead other programs to the same servers."""
        given = {name: str(getattr(self._settings, name)) for name in PASSED_ON}
        changed = {name: value for name, value in given.items() if value != Settings.model_fields[name].default}
        changed["database_url"] = self._settings.database_url.get_secret_value()
        return {variable_of(name): value for name, value in changed.items()}

    def _environment(self) -> list[str]:
        """Arguments of `env`."""
        own = self.variables() | {
            "BO_HTTP_HOST": HOST,
            "BO_HTTP_PORT": str(self._port.number),
            "BO_KAFKA_SESSION_TIMEOUT_S": str(self._settings.kafka_session_timeout_s),
            "BO_LOG_FORMAT": "console",
            "BO_LOG_LEVEL": "warning",
        }
        return [f"{name}={value}" for name, value in own.items()]

    @property
    def _log(self) -> Path:
        return self._folder / "worker.log"
