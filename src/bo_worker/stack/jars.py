"""Apache Kafka's jars, fetched once from Maven Central and kept in the user's cache folder."""

from __future__ import annotations

import fcntl
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import stamina

from bo_worker.stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import Callable

KAFKA_VERSION = "4.3.1"
# Without a binding of slf4j Kafka would run without a word in its log.
COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
SCOPES = ("compile", "runtime")
DOWNLOADS_AT_ONCE = 6
ATTEMPTS_MAX = 3


def cache_folder() -> Path:
    """Where the jars are kept: $XDG_CACHE_HOME or ~/.cache, then bo-worker/kafka-VERSION."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bo-worker" / f"kafka-{KAFKA_VERSION}"


def kafka_jars(progress: Callable[[str], None]) -> Path:
    """The folder with all of Kafka's jars, downloaded now if this is the first time.

    Several processes may ask at once: one downloads, the others wait for it.

    Raises:
        StackError: they could not be downloaded.
    """
    target = cache_folder() / "jars"
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                progress(f"downloading Kafka {KAFKA_VERSION} (44 MB, once)")
                _download(target)
    except (OSError, RuntimeError) as error:
        raise StackError(f"Kafka's jars could not be downloaded to {target}: {error}") from error
    return target


@stamina.retry(on=OSError, attempts=ATTEMPTS_MAX, wait_initial=1.0)
def _download(target: Path) -> None:
    # A download that was cut short leaves its scratch folder, whose files can't be trusted to be whole.
    scratch = target.parent / "download"
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "jars").mkdir(parents=True)
    for jar in _fetch(scratch / "repository"):
        jar.rename(scratch / "jars" / jar.name)
    # The folder gets its name last, so that it is there as a whole or not at all.
    (scratch / "jars").rename(target)
    shutil.rmtree(scratch)


def _fetch(repository: Path) -> list[Path]:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - the extra `embedded` may be missing
    except ImportError as error:
        raise StackError("Kafka's jars are fetched by jgo: pip install 'bo-worker[embedded]'") from error
    maven = MavenContext(repo_cache=repository)
    named, needed = maven.resolver.resolve([maven.create_dependency(each) for each in COORDINATES])
    artifacts = [each.artifact for each in [*named, *(one for one in needed if one.scope in SCOPES)]]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        return list(pool.map(lambda artifact: artifact.resolve(), artifacts))
