"""An origin: where an application states its schema, in SQL that is run as it stands or by a program of its own.

Each framework's file describes its own as ``EXPECTATION``; the wing ``schema`` runs it against a scratch database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mendbook.errors import Usage


def whole(text: str) -> str:
    """All of a file leads forward."""
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Dump:
    """SQL files for psql, each statement on its own: a dump, or scripts in the order of their names."""

    default: str = ""  # the file of a folder that is meant; empty: all .sql files in it


@dataclass(frozen=True, kw_only=True, slots=True)
class Scripts:
    """A folder of migrations in SQL. Each runs in one transaction wherever the server allows that."""

    file: str  # regular expression of a migration's path in the folder; they run by the numbers in the group "version"
    mark: str = ""  # regular expression that such a file contains
    forward: Callable[[str], str] = whole  # the text of a file -> what of it leads forward, on the same lines
    index: str = ""  # the file that lists the migrations, where names do not say their order
    listed: Callable[[str], list[str]] | None = None  # the text of the index -> paths in their order
    program: str = ""  # regular expression of the path of a migration that only the tool itself can run

    def files(self, folder: Path) -> list[Path]:
        """The migrations of *folder* in the order in which the tool runs them; empty where it is not such a folder."""
        if self.listed:
            index = folder / self.index
            return [folder / each for each in _listed(index, self.listed)] if index.is_file() else []
        found = [(path, path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*.sql"))]
        matches = [(path, match) for path, name in found if (match := re.fullmatch(self.file, name))]
        if self.mark and not any(re.search(self.mark, read(path), re.MULTILINE) for path, _ in matches):
            return []
        return [path for path, _ in sorted(matches, key=lambda each: _order(each[1]))]

    def programs(self, folder: Path) -> list[Path]:
        """The migrations of *folder* that are no SQL."""
        paths = [path for path in sorted(folder.rglob("*")) if self.program]
        return [path for path in paths if re.fullmatch(self.program, path.relative_to(folder).as_posix())]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What is called, and where; ``{url}`` in a word stands for the scratch database's URL."""

    folder: Path
    words: tuple[str, ...]  # a script of `schema/inside` or a command in node_modules/.bin, then its arguments


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A tool of the application that brings the schema about."""

    language: Literal["Python", "Node"]
    command: Callable[[str], Command]  # what follows the prefix in a reference -> what is called; raises `Usage`
    install: str  # the command that installs the tool
    announces: str = ""  # regular expression of what it prints about a migration; its one group is the name
    prints: bool = False  # it prints SQL and needs no database
    keeps: tuple[str, ...] = ()  # variables of the environment that it needs besides those that all programs get


Stated = Dump | Scripts | Program


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """How the schema of an application of one framework is referred to: a prefix, a colon, and what is meant."""

    prefix: str
    form: str  # what follows the prefix, for people
    means: Stated
    file: Stated | None = None  # what a file means, where a folder means something else


def _listed(index: Path, listed: Callable[[str], list[str]]) -> list[str]:
    try:
        return listed(read(index))
    except (ValueError, KeyError, TypeError) as error:
        raise Usage(f"{index} does not list migrations as it should ({error!r}); nothing was started.") from None


def _order(match: re.Match[str]) -> tuple[bool, list[int], str]:
    version = match.groupdict().get("version")
    return version is None, [int(each) for each in re.findall(r"\d+", version or "")], match.string


def between(begin: str, end: str) -> Callable[[str], str]:
    """Keep what stands between lines that match *begin* and *end*, and empty the other lines."""

    def forward(text: str) -> str:
        kept, inside = [], False
        for line in text.splitlines(keepends=True):
            if re.match(end, line):
                inside = False
            kept.append(line if inside else "\n")
            if re.match(begin, line):
                inside = True
        return "".join(kept)

    return forward


def folder(place: str, prefix: str) -> Path:
    """The folder that a reference names; raises `Usage` where it is none."""
    if not Path(place).is_dir():
        raise Usage(f"{prefix}:{place} names no folder that is here; nothing was started. Check the path.")
    return Path(place)


def read(path: Path) -> str:
    """The text of a file; raises `Usage`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read as text ({error}); nothing was started.") from None
