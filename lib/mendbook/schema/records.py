"""Records: what the migration ledger of a database says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from mendbook import ledger as ledgers
from mendbook.errors import Refused
from mendbook.ledger import Entry, Ledger
from mendbook.schema import snapshot
from mendbook.schema.key import Key
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Identity


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """A ledger in its place."""

    ledger: Ledger
    schema: str  # where it is, or where its tool would make it
    exists: bool
    entries: tuple[Entry, ...]  # by the names of the migrations

    @property
    def table(self) -> str:
        """The qualified name of the ledger."""
        return snapshot.qualified(self.schema, self.ledger.table)


def read(
    conn: psycopg.Connection[Any], live: Snapshot, identity: Identity, ledger: Ledger, schema: str = ""
) -> Records:
    """Read *ledger* in *schema*, or where its tool keeps it; raises `Refused` where it cannot be read."""
    place, exists = _place(live, identity, ledger, schema or ledger.schema)
    found = Records(ledger=ledger, schema=place, exists=exists, entries=())
    if not exists:
        return found
    try:
        with conn.cursor(row_factory=class_row(Entry)) as cursor:
            entries = tuple(cursor.execute(ledger.select(place)).fetchall())
    except psycopg.Error as error:
        raise Refused(
            f"The migration ledger {found.table} cannot be read as its own tool does it "
            f"({error.diag.message_primary}), so it is unknown what is pending; nothing was changed. Check that it is "
            f"this application's ledger, and that the role may read it."
        ) from None
    return Records(ledger=ledger, schema=place, exists=True, entries=entries)


def keepers(live: Snapshot) -> list[str]:
    """The frameworks whose ledger may be in *live*: of each table, those that know most of its columns."""
    found: list[str] = []
    for table in live.tables():
        names = {each.name for each in live.columns(table.schema, table.name)}
        fitting = {
            name: len(kept.columns)
            for name, kept in ledgers.known().items()
            if kept.table == table.name and names.issuperset(kept.columns)
        }
        found += [name for name, count in fitting.items() if count == max(fitting.values())]
    return found


def _place(live: Snapshot, identity: Identity, ledger: Ledger, schema: str) -> tuple[str, bool]:
    places = [schema] if schema else identity.schemas
    for each in places:
        if Key("table", each, ledger.table) in live.objects:
            return each, True
    if not places:
        raise Refused(
            f"The search_path of {identity.role} ({identity.search_path}) names no schema that exists, so the ledger "
            f"{ledger.table} has no place; nothing was changed. Set the role's search_path."
        )
    return places[0], False
