"""Shows what is being started, and how long it takes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bo_worker.stack.jars import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Task, TaskID

DOWNLOADING = "downloading"
STEP_COUNT = 5  # two servers, the database, the topics, the worker


class Downloaded(ProgressColumn):
    """How much is downloaded already, while something is."""

    max_refresh = 0.2

    def render(self, task: Task) -> Text:
        """Draw it."""
        if not task.description.startswith(DOWNLOADING):
            return Text()
        return Text(f"{_downloaded_bytes() / 1e6:.0f} MB", "cyan")


@contextmanager
def starting(console: Console) -> Iterator[Callable[[str], None]]:
    """Give a function that takes a phrase for each thing that is started; a terminal shows the last one."""
    if not console.is_terminal:
        yield lambda phrase: console.print(f"  {phrase} ...")
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), Downloaded(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        steps = progress.add_task("looking for servers", total=STEP_COUNT)
        downloads: list[TaskID] = []

        def show(phrase: str) -> None:
            if phrase.startswith(DOWNLOADING):
                downloads.append(progress.add_task(phrase, total=None))
                return
            if downloads and phrase == "starting Kafka":
                progress.remove_task(downloads.pop())
            progress.update(steps, description=phrase, advance=1)

        yield show


def _downloaded_bytes() -> int:
    total = 0
    for file in (cache_folder() / "download").rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:  # it was a scratch file, and is gone
            continue
    return total
