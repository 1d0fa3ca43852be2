"""What a migration makes, seen by running its folder up to it on an empty database, and held against the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from mendbook.errors import Refused
from mendbook.migrations import Migration
from mendbook.schema import drift
from mendbook.schema.clone import Clone
from mendbook.schema.key import Key
from mendbook.schema.objects import Schema
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import script

_ROWS = ("INSERT", "UPDATE", "DELETE")  # what the migrations before it did to rows does not matter


def require_made(migrations: Sequence[Migration], clone: Clone, live: Snapshot) -> None:
    """Raise `Refused` unless all that the last of *migrations* makes after the others is in *live*, just like that.

    They run on a scratch database of the clone's server that has the schemas of *live* and nothing in them.
    """
    last = migrations[-1]
    with clone.server.scratch() as name:
        empty = replace(clone, database=name, omissions=())
        _make_schemas(empty, live)
        for each in migrations[:-1]:
            _run(empty, each, last)
        before = empty.snapshot()
        _run(empty, last, last)
        made = drift.compare(before, empty.snapshot())
    keys = {each.key for each in made.differences}
    found = drift.compare(
        _part(live, keys), Snapshot(objects={d.key: d.desired for d in made.differences if d.desired})
    )
    if not keys:
        raise Refused(
            f"{last.name} makes nothing that a comparison of schemas can see, so it cannot be shown that it ran; "
            f"nothing was changed. Record it with its own tool if you know that it did."
        )
    if found:
        raise Refused(
            f"Not all that {last.name} makes is in this database, so it is not recorded as done; nothing was changed.\n"
            f"{found}\nMake the rest of it by hand, or take away what is there and run the migration with its own tool."
        )


def _part(live: Snapshot, keys: set[Key]) -> Snapshot:
    return Snapshot(objects={key: item for key, item in live.objects.items() if key in keys})


def _make_schemas(empty: Clone, live: Snapshot) -> None:
    with empty.connect() as conn:
        for item in live.objects.values():
            if isinstance(item, Schema) and item.name in empty.schemas:
                conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(item.name)))


def _run(empty: Clone, migration: Migration, last: Migration) -> None:
    with empty.connect() as conn:
        for each in script.read(migration.text, migration.path.name, but=() if migration is last else _ROWS):
            try:
                conn.execute(each.text)
            except psycopg.Error as error:
                raise Refused(
                    f"{each.place} fails on an empty database with {error.diag.sqlstate} "
                    f"({error.diag.message_primary}), so it is unknown what {last.name} makes; nothing was changed. "
                    f"Record it with its own tool if you know that all of it is there."
                ) from None
