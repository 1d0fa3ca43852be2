"""Formats: how a migration tool wants a new migration written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mendbook import described, ledger
from mendbook.errors import Usage
from mendbook.migrations import Migration


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a new migration does."""

    title: str  # words with underscores between them
    at: datetime  # when it was written, in UTC
    forward: tuple[str, ...]  # SQL statements
    backward: tuple[str, ...]  # SQL statements that take it back, in order
    transaction: bool  # whether they can run in a transaction
    before: tuple[Migration, ...]  # the migrations that are there, in order
    folder: str  # of the last of them, in the folder of all; empty: that itself

    @property
    def stamp(self) -> str:
        """The time as most tools put it in front: fourteen digits."""
        return self.at.strftime("%Y%m%d%H%M%S")

    @property
    def milliseconds(self) -> str:
        """The time as JavaScript counts it: thirteen digits."""
        return str(int(self.at.timestamp() * 1000))

    @property
    def number(self) -> str:
        """The next number where the files are numbered, else the time."""
        found = [re.match(r"\D*?(\d+)", each.title.rpartition("/")[2]) for each in self.before]
        numbers = [each[1] for each in found if each]
        if not numbers or any(len(each) >= len("20250101") for each in numbers):
            return self.stamp
        last = max(numbers, key=int)
        return str(int(last) + 1).zfill(len(last))

    @property
    def camel(self) -> str:
        """The title as the name of a class."""
        return "".join(word.capitalize() for word in self.title.split("_"))

    def suffix(self, default: str) -> str:
        """How the last file's name ends."""
        return self.before[-1].path.suffix if self.before else default


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """How a tool writes a migration."""

    files: Callable[[Change], Mapping[str, str]]  # the text of each file, by its path in the folder
    alone: bool = False  # it sends a file as a whole: what cannot run in a transaction needs one of its own


def of(framework: str) -> Format:
    """The format of a framework, from its file in ``frameworks/``; raises `Usage` where Mendbook does not write it."""
    ledger.of(framework)
    known: Mapping[str, Format] = described.every("MIGRATION")
    found = known.get(framework.replace("-", "_"))
    if found:
        return found
    raise Usage(
        f"Mendbook writes no migrations of {framework}; nothing was started. Leave --framework out, and write the "
        f"migration from the plan's SQL."
    )


def script(statements: Iterable[str]) -> str:
    """Statements, each ended and on lines of its own."""
    return "".join(f"{statement};\n" for statement in statements)


def javascript(sql: str) -> str:
    """SQL as a template literal."""
    return "`" + re.sub(r"([\\`]|\$(?=\{))", r"\\\1", sql) + "`"


def python(sql: str) -> str:
    """SQL as a string literal."""
    lines = "\n" in sql and not re.search(r'\\|"""|"$|[^\n -~]', sql)
    return f'"""{sql}"""' if lines else repr(sql)
