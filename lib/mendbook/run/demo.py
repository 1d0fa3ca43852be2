"""The demo: every built-in incident on the embedded server, from the broken database to the documented fix."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mendbook import embedded, render, request, runbook
from mendbook.errors import Usage
from mendbook.run import notebooks
from mendbook.stages import document
from mendbook.target import resolve

_HEAD = ("", "runbook", "diagnose", "repair")


def run(names: Sequence[str], folder: Path) -> int:
    """Take the named runbooks, or all of Mendbook's own, through; returns 0 where every one ended verified."""
    own = {
        slug: path
        for slug, path in runbook.catalogue().items()
        if path.parent == runbook.shared("runbooks").resolve() and not runbook.load(path).text.generic
    }
    for name in names:
        if name not in own:
            raise Usage(
                f"There is no built-in runbook {name!r}; nothing was started. {runbook.nearest(name, own, 'runbook')}"
            )
    ended = []
    for slug in names or own:
        print(f"{slug} …", flush=True)
        ended.append(_one(runbook.load(own[slug]), folder))
    print()
    render.print_table(_HEAD, [each.row for each in ended], marks={_FIXED: "good"})
    print("\nThe documents, each with the error, the cause, the fix and the proof:")
    for each in ended:
        print(f"  {(each.folder / 'fix.html').resolve().as_uri()}")
    print("\nTo take one back:")
    for each in ended:
        print(f"  {each.rollback}")
    return 0 if all(each.row[0] == _FIXED for each in ended) else 1


_FIXED = "fixed and verified"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    row: tuple[str, str, str, str]
    folder: Path
    rollback: str = ""


def _one(book: runbook.Runbook, folder: Path) -> _Ended:
    reference = f"embedded:demo {book.slug}"
    _load(reference, book.broken)
    made = request.new_folder(folder, book.slug)
    values: dict[str, object] = {}
    if "app" in book.text.parameters and (book.folder / "app").is_dir():
        shutil.copytree(book.folder / "app", made / "app")
        values["app"] = str((made / "app").resolve())
    given: dict[str, object] = {
        "runbook": str(book.folder),
        "target": reference,
        "values": values,
        "folder": str(made),
    }
    first, diagnosed = _timed("diagnose", made, given)
    if not first.completed:
        return _Ended(row=(first.message, book.slug, diagnosed, ""), folder=made)
    digest = document.load(made)["digest"]
    second, repaired = _timed("repair", made, {"folder": str(made), "approve": digest})
    verdict = _FIXED if second.completed else second.message
    rollback = f"mendbook rollback {shlex.quote(str(made))} --approve {digest}"
    return _Ended(row=(verdict, book.slug, diagnosed, repaired), folder=made, rollback=rollback)


def _timed(name: str, folder: Path, given: dict[str, object]) -> tuple[notebooks.Run, str]:
    start = time.monotonic()
    ended = notebooks.run(notebooks.path(name), folder / f"{name}.ipynb", given)
    return ended, f"{time.monotonic() - start:.1f} s"


def _load(reference: str, script: str) -> None:
    """Make the demo's own database anew."""
    database = reference.partition(":")[2]
    server = embedded.server("mendbook")
    server.drop(database)
    with resolve(reference).connect() as conn:
        conn.execute(script.encode())
