"""An origin: where an application states its schema, in SQL, in a folder of migrations or by a program of its own.

Each framework's file describes its own as ``EXPECTATION``; the wing ``schema`` runs it against a scratch database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mendbook.errors import Usage
from mendbook.migrations import Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class Dump:
    """SQL files for psql, each statement on its own: a dump, or scripts in the order of their names."""

    default: str = ""  # the file of a folder that is meant; empty: all .sql files in it


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


Means = Dump | Layout | Program


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """How the schema of an application of one framework is referred to: a prefix, a colon, and what is meant."""

    prefix: str
    form: str  # what follows the prefix, for people
    means: Means
    file: Means | None = None  # what a file means, where a folder means something else


def folder(place: str, prefix: str) -> Path:
    """The folder that a reference names; raises `Usage` where it is none."""
    if not Path(place).is_dir():
        raise Usage(f"{prefix}:{place} names no folder that is here; nothing was started. Check the path.")
    return Path(place)
