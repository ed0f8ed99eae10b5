"""Files that a command is to write after a long time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(file: Path | None) -> None:
    """Refuse a file that can't be written before hours are spent on what belongs in it.

    Raises:
        typer.BadParameter: it is a folder, its folder is not there, or we may not write it.
    """
    if file and (file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)):
        raise typer.BadParameter(f"{file} can't be written")
