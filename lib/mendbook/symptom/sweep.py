"""`Sweep`: the SQL of a source tree, every statement judged by a database.

`find` reads the tree and needs no database; `judge` has the server Parse what was found. Nothing is executed. SQL that
the program puts together at run time cannot be judged: it is listed with the reason, and never taken for fine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from mendbook import render
from mendbook.errors import Usage
from mendbook.symptom import missing, parsing, sources
from mendbook.symptom.missing import Missing
from mendbook.symptom.parsing import Refusal
from mendbook.symptom.sources import Place, Unjudged
from mendbook.symptom.statements import Statement

LARGEST = 1 << 20  # bytes: larger files are data
LONGEST_LINES = 500  # bytes of an average line: longer ones are made by a minifier
FEW_LINES = 20

_SKIPPED = frozenset({"node_modules", "vendor", "dist", "build", "venv", "site-packages", "__pycache__"})

# What Parse refuses for want of something that the running program has (appendix A of the manual names the codes).
_NOT_ITS_FAULT = {
    "42P18": "the type of a parameter can only be told from its value",
    "0A000": "the server cannot prepare it",
    "55P03": "a lock on one of its tables was not obtained",
    "57014": "the server's time limit ended it",
}
_TYPES = frozenset({"42P08", "42804", "42883"})  # types of operands that do not fit


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The SQL of a source tree, sorted by file and line."""

    statements: tuple[Place, ...]
    unjudged: tuple[Unjudged, ...]
    files: int  # files of a known language that were read
    skipped: tuple[tuple[str, str], ...]  # (file of a known language that was not read, why)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A statement that the server refuses."""

    place: Place
    sqlstate: str
    message: str
    position: int | None  # 1-based, in characters of place.statement.sql
    missing: Missing  # what the server could not find


@dataclass(frozen=True, kw_only=True, slots=True)
class Apart:
    """A statement that neither fails nor is shown to be fine: Parse alone cannot judge it."""

    place: Place
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What a database says to the SQL of a source tree."""

    failures: tuple[Failure, ...]  # missing objects first, then by file and line
    passed: tuple[Place, ...]
    apart: tuple[Apart, ...]
    unjudged: tuple[Unjudged, ...]
    files: int
    skipped: tuple[tuple[str, str], ...]

    def summary(self) -> str:
        """One line of counts."""
        counts = [
            (len(self.failures), "statement fails", "statements fail"),
            (len(self.passed), "passes", "pass"),
            (len(self.apart), "cannot be judged by Parse alone", "cannot be judged by Parse alone"),
            (len(self.unjudged), "is put together at run time", "are put together at run time"),
            (self.files, "file read", "files read"),
            (len(self.skipped), "file skipped", "files skipped"),
        ]
        return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """(verdict, place, SQLSTATE, object, message) of everything that did not pass, for people."""
        failing = [("fails", str(f.place), f.sqlstate, str(f.missing), f.message) for f in self.failures]
        apart = [("not judged", str(a.place), "", "", a.reason) for a in self.apart]
        return failing + apart + [("not judged", str(u), "", "", u.reason) for u in self.unjudged]

    def _repr_html_(self) -> str:
        return f"<p>{render.escape(self.summary())}</p>" + render.table_html(HEAD, self.rows(), marks=_MARKS)

    def __str__(self) -> str:
        return f"{render.table_text(HEAD, self.rows())}\n{self.summary()}".lstrip()


HEAD = ("", "place", "SQLSTATE", "object", "message")
_MARKS = {"fails": "bad", "not judged": "warn"}


# Finding


def find(directory: str | os.PathLike[str]) -> Found:
    """Read the SQL in the source files under *directory*; raises `Usage` if that is no directory.

    Left out are hidden folders and those of other people's code (node_modules, vendor, …), symbolic links, and what is
    named in `Found.skipped`: binary, minified, unreadable and very large files.
    """
    root = tree(directory)
    read: list[Place | Unjudged] = []
    files, skipped = 0, []
    for file, suffix in _files(root):
        source, obstacle = _source(root / file, suffix)
        if obstacle:
            skipped.append((file, obstacle))
            continue
        files += 1
        if sources.may_hold_sql(source):
            read += sources.read(file, suffix, source)
    read.sort(key=lambda each: (each.file, each.line))
    return Found(
        statements=tuple(each for each in read if isinstance(each, Place)),
        unjudged=tuple(each for each in read if isinstance(each, Unjudged)),
        files=files,
        skipped=tuple(sorted(skipped)),
    )


def tree(directory: str | os.PathLike[str]) -> Path:
    """The folder that `find` reads; raises `Usage` if it is none."""
    root = Path(directory)
    if not root.is_dir():
        raise Usage(
            f"{str(directory)!r} is no directory; nothing was read. Name the folder of the application's source."
        )
    return root


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (path from the root, suffix) of every file of a known language."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            suffix = path.suffix.lower()
            if sources.language(suffix) and not path.is_symlink():
                yield path.relative_to(root).as_posix(), suffix


def _source(path: Path, suffix: str) -> tuple[bytes, str]:
    """Return what is in the file, and why it is not to be read ("" if it is)."""
    try:
        if not path.is_file():
            return b"", "no ordinary file"
        if path.stat().st_size > LARGEST:
            return b"", "larger than 1 MiB"
        source = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        return b"", error.strerror or "cannot be read"
    if b"\0" in source:
        return b"", "binary"
    lines = source.count(b"\n") + FEW_LINES  # a short file of long lines is written by hand
    return (b"", "minified") if suffix != ".sql" and len(source) / lines > LONGEST_LINES else (source, "")


# Judging


def judge(conn: psycopg.Connection[Any], found: Found) -> Sweep:
    """Have the server behind *conn* Parse every statement; nothing is executed. Raises `Surroundings`."""
    distinct = list(dict.fromkeys(place.statement.sql for place in found.statements))
    answers = dict(zip(distinct, parsing.parse(conn, distinct), strict=True))
    verdicts = [_verdict(place, answers[place.statement.sql]) for place in found.statements]
    failures = [verdict for verdict in verdicts if isinstance(verdict, Failure)]
    return Sweep(
        failures=tuple(sorted(failures, key=lambda failure: failure.sqlstate not in missing.SQLSTATES)),
        passed=tuple(verdict for verdict in verdicts if isinstance(verdict, Place)),
        apart=tuple(verdict for verdict in verdicts if isinstance(verdict, Apart)),
        unjudged=found.unjudged,
        files=found.files,
        skipped=found.skipped,
    )


def _verdict(place: Place, refusal: Refusal | None) -> Place | Apart | Failure:
    if refusal is None:
        verb = place.statement.verb
        return (
            place if verb in parsing.ANALYSED else Apart(place=place, reason=f"{verb} is looked into only when it runs")
        )
    failure = Failure(
        place=place,
        sqlstate=refusal.sqlstate,
        message=refusal.message,
        position=refusal.position,
        missing=missing.find(place.statement, refusal.sqlstate, refusal.message, refusal.position),
    )
    reason = _excuse(failure)
    return Apart(place=place, reason=f"{reason} ({refusal.sqlstate})") if reason else failure


def _excuse(failure: Failure) -> str | None:
    """Say why what the server refuses may still run, None if it cannot."""
    statement, sqlstate = failure.place.statement, failure.sqlstate
    if sqlstate in _NOT_ITS_FAULT:
        return _NOT_ITS_FAULT[sqlstate]
    if sqlstate == "42725" and statement.parameters:
        return _NOT_ITS_FAULT["42P18"]
    if sqlstate in _TYPES and failure.missing.other is None and _has_shared_parameter(statement):
        return "one name stands for values of several types"
    if sqlstate == "42601" and failure.position and _is_filled_in(failure.place, failure.position):
        return "the client puts more than a value in a parameter's place"
    names = failure.missing
    if {names.schema, names.table, names.column, names.other} & failure.place.made:
        return "what it names is made in the same script"
    return None


def _has_shared_parameter(statement: Statement) -> bool:
    """Whether a name that the client may send as several parameters became a single one."""
    numbers = [parameter.number for parameter in statement.parameters if parameter.style != "$1"]
    return len(numbers) > len(set(numbers))


def _is_filled_in(place: Place, position: int) -> bool:
    parameter = re.match(r"\$(\d+)", place.statement.sql[position - 1 :])
    styles = {each.number: each.style for each in place.statement.parameters}
    return parameter is not None and (place.bound or styles.get(int(parameter[1])) != "$1")
