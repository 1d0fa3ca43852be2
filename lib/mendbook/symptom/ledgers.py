"""What the migration ledgers of a database say that was done, and what the names of migrations speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from mendbook import frameworks, ledger
from mendbook.ledger import Entry, Ledger
from mendbook.symptom import facts, nearness
from mendbook.symptom.facts import LedgerTable
from mendbook.symptom.finding import written

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_EXTENSION = re.compile(r"\.\w{1,4}$")

# Words of a migration's name that are no object's.
_FILLERS = frozenset(
    {"add", "adds", "added", "adding", "alter", "and", "by", "change", "column", "columns", "create", "creates"}
    | {"created", "down", "enum", "field", "fields", "fix", "for", "from", "function", "in", "index", "init", "into"}
    | {"make", "migration", "model", "new", "of", "on", "public", "rename", "schema", "table", "tables", "the", "to"}
    | {"type", "unique", "up", "update", "with"}
)
_NUMBER = 3  # digits: from here on a number is a version or a date
_ENDING = 3  # characters that a plural can change
_LONGEST = 300  # characters of a migration's name


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One ledger of this database."""

    framework: str  # its title; where the table does not tell, those of all that keep such a one
    table: str  # written for people
    applied: tuple[str, ...] | None  # in the order of the names; None: this role may not read them
    heads: bool  # each stands for all that go before it

    def __str__(self) -> str:
        if self.applied is None:
            return f"{self.table} ({self.framework}) cannot be read by this role"
        if self.heads:
            return f"{self.table} ({self.framework}) stands at {' and '.join(self.applied) or 'nothing'}"
        last = f", the last of them {self.applied[-1]}" if self.applied else ""
        return f"{self.table} ({self.framework}) records {len(self.applied)} as done{last}"


def read(conn: psycopg.Connection[Any], tables: Sequence[LedgerTable]) -> tuple[Record, ...]:
    """Read the ledgers that *tables* are; a table of that name with other columns is none."""
    found = [(kept, table) for table in tables if (kept := _keepers(table))]
    readable = [(next(iter(kept.values())), table) for kept, table in found if table.readable]
    rows = iter(facts.ask(conn, [(kept.select(table.schema), {}, Entry) for kept, table in readable]))
    return tuple(
        Record(
            framework=" or ".join(kept),
            table=written(table.schema, table.name),
            applied=_names(rows) if table.readable else None,
            heads=next(iter(kept.values())).heads,
        )
        for kept, table in found
    )


def _keepers(table: LedgerTable) -> dict[str, Ledger]:
    """The ledgers that *table* can be, by their frameworks' titles: those that know most of its columns."""
    listed = frameworks.listing()
    named = {each.name.replace("-", "_"): each.title for each in listed.values()}
    fitting = {
        named[name]: kept
        for name, kept in ledger.known().items()
        if kept.table == table.name and set(kept.columns) <= set(table.columns)
    }
    most = max((len(kept.columns) for kept in fitting.values()), default=0)
    return {title: kept for title, kept in fitting.items() if len(kept.columns) == most}


def _names(rows: Iterator[tuple[Entry, ...] | None]) -> tuple[str, ...] | None:
    found = next(rows)
    return None if found is None else tuple(each.name for each in found if each.state == "done")


def speaks_of(migration: str, name: str, table: str | None = None) -> bool:
    """Whether a migration's name speaks of the object *name*; of a column of *table*, not of another table's.

    ``20250101-add-deletedAt-to-users`` speaks of a column ``deletedAt`` or ``deleted_at``, though not of that of
    ``sessions``; ``003_create_user_sessions`` of a table ``user_sessions``, not of one called ``user``.
    """
    if nearness.plain(name)[:-_ENDING] not in nearness.plain(migration):
        return False
    words = [word.lower() for word in _WORD.findall(_EXTENSION.sub("", migration[:_LONGEST]))]
    bounds = [at for at in range(len(words) + 1) if at in (0, len(words)) or _fills(words, at - 1) or _fills(words, at)]
    spans = [(a, b) for a in bounds for b in bounds if a < b]
    mine = [span for span in spans if _means(words, span, name)]
    if table is None or not mine:
        return bool(mine)
    alone = any(all(_fills(words, at) for at in range(len(words)) if not a <= at < b) for a, b in mine)
    return alone or any(_means(words, span, table) for span in spans)


def _fills(words: Sequence[str], at: int) -> bool:
    word = words[at]
    return word in _FILLERS or (word.isdigit() and (at == 0 or len(word) >= _NUMBER))


def _means(words: Sequence[str], span: tuple[int, int], name: str) -> bool:
    joined = "".join(words[slice(*span)])
    return nearness.singular(joined) == nearness.singular(nearness.plain(name))
