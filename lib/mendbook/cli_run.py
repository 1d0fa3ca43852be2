"""Run a notebook for a command: its options, and where it is while it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mendbook.errors import Usage

if TYPE_CHECKING:
    from mendbook.run.notebooks import Run


def add(command: argparse.ArgumentParser) -> None:
    """Add the options that every such command has."""
    command.add_argument(
        "--time-limit", type=float, default=3600.0, metavar="SECONDS", help="for all of it (%(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def values(parsed: argparse.Namespace) -> dict[str, object]:
    """What was given as -p NAME=VALUE; raises `Usage` for what is not of that form."""
    pairs = [each.partition("=") for each in parsed.values]
    for name, equals, value in pairs:
        if not equals or not name:
            raise Usage(f"-p wants NAME=VALUE, and got {name + equals + value!r}; nothing was started.")
    return {name: value for name, _, value in pairs}


def run(parsed: argparse.Namespace, name: str, folder: Path, given: dict[str, object]) -> Run:
    """Run the notebook called *name* and keep it in *folder*, beside those of earlier runs."""
    from mendbook.run import notebooks

    output = notebooks.copy(name, folder)
    show: Callable[[str], None] = _progress(name) if sys.stderr.isatty() else lambda stage: None
    try:
        return notebooks.run(notebooks.path(name), output, given, progress=show, time_limit=parsed.time_limit)
    finally:
        show("")


def _progress(name: str) -> Callable[[str], None]:
    def show(stage: str) -> None:
        print(f"\r\x1b[K{name}: {stage} …" if stage else "\r\x1b[K", end="", file=sys.stderr, flush=True)

    return show
