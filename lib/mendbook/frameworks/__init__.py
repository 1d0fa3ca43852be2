"""Drivers, ORMs and migration tools: one file each, found by listing.

A file describes; it reads nothing. Its ``FRAMEWORK`` says how the framework's errors look (what marks a text as its
own, what it says in its own words, where it puts the failing SQL), and the wing ``symptom`` reads all of them with
one grammar. A migration tool's ``LEDGER`` says how it keeps and records its migrations, its ``MIGRATION`` how it wants
a new one written. ``EXPECTATION``, which ORMs have too, says how the schema is read that they lead to. A new framework
is one new file; nothing else needs an edit.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mendbook import described

Kind = Literal[
    "missing_column",
    "missing_table",
    "missing_schema",
    "missing_function",
    "missing_type",
    "missing_constraint",
    "duplicate_object",
    "type_mismatch",
    "not_null_violation",
    "invalid_enum",
    "permission",
    "migration_pending",
    "migration_history",
    "pool_exhausted",
    "pool_closed",
    "connection_lost",
    "connection_refused",
    "authentication",
    "missing_database",
    "lock_timeout",
    "statement_timeout",
    "deadlock",
    "aborted_transaction",
    "read_only",
    "stale_plan",
    "other",
    "not_postgres",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """One message, as its author wrote it, with slots in braces where names stand.

    ``{column}``, ``{table}``, ``{schema}``, ``{alias}``, ``{constraint}``, ``{function}``, ``{type}``, ``{role}`` and
    ``{database}`` hold a name as it stands, ``{record}`` that of a variable; ``{relation}``, ``{typename}`` and
    ``{routine}`` one that may be qualified; ``{sqlstate}`` a SQLSTATE; ``{}`` anything short that tells nothing.
    A wording that ends in ``…`` may go on.
    """

    text: str
    kind: Kind
    sqlstate: str | None = None  # where the wording makes it certain
    own: bool = True  # nobody else says this; else it counts only beside other evidence of PostgreSQL


@dataclass(frozen=True, kw_only=True, slots=True)
class Framework:
    """How one driver, ORM or migration tool shows itself in a text."""

    name: str  # its slug, as a Diagnosis says it
    title: str  # as its makers write it
    home: str  # where the facts about it are from
    over: tuple[str, ...] = ()  # what it stands on: where both show, the upper one is meant
    only: bool = True  # it speaks to PostgreSQL alone, so its marks are evidence of PostgreSQL
    marks: tuple[str, ...] = ()  # literal text that it alone prints
    shapes: tuple[str, ...] = ()  # regular expressions, where literal text does not suffice
    hints: tuple[str, ...] = ()  # regular expressions that make it likely, not certain
    wordings: tuple[Wording, ...] = ()  # what it says in its own words
    introductions: tuple[str, ...] = ()  # regular expressions behind which the server's own message stands
    codes: Mapping[str, Kind] = field(default_factory=dict)  # its own error codes
    statements: tuple[str, ...] = ()  # regular expressions whose group "sql" is the failing statement
    frames: tuple[str, ...] = ()  # beginnings of stack frames that are library code, where the path does not tell
    # What it does with a statement that it prepared before the columns of the result changed (0A000), and what helps.
    stale: str = ""
    qualifies_by: Literal["table", "alias"] | None = None  # how the SQL that it writes itself qualifies columns


def stale() -> list[tuple[str, str]]:
    """(title, what to do) of each that says what it does with a stale prepared statement."""
    return [(each.title, each.stale) for each in listing().values() if each.stale]


@functools.cache
def listing() -> Mapping[str, Framework]:
    """Every framework by name, in the order of the file names."""
    return {each.name: each for each in described.every("FRAMEWORK").values()}
