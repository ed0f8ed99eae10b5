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
    from rich.progress import Task

STEP_COUNT = 5  # two servers, the database, the topics, the worker


class Downloaded(ProgressColumn):
    """How much is downloaded already, while something is."""

    max_refresh = 0.2

    def render(self, task: Task) -> Text:
        """Draw it."""
        if not task.description.startswith("downloading"):
            return Text()
        return Text(f"{_downloaded_bytes() / 1e6:.0f} MB", "cyan")


@contextmanager
def starting(console: Console) -> Iterator[Callable[[str], None]]:
    """Give a function that takes a phrase for each thing that is started; on a terminal one line shows the last."""
    if not console.is_terminal:
        yield lambda phrase: console.print(f"  {phrase} ...")
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), Downloaded(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=STEP_COUNT)

        def show(phrase: str) -> None:
            progress.update(task, description=phrase, advance=0 if phrase.startswith("downloading") else 1)

        yield show


def _downloaded_bytes() -> int:
    total = 0
    for file in (cache_folder() / "download").rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:  # it was a scratch file, and is gone
            continue
    return total
