"""Indexes: built and dropped without blocking reads or writes."""

from __future__ import annotations

import re

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step
from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object
from mendbook.schema.relations import Index, View
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import text


def create(new: Object, context: Context) -> list[Step]:
    """Build an index; that of a partitioned table is made of those of its partitions."""
    assert isinstance(new, Index)  # noqa: S101  by key
    table = context.table(new.key)
    if table is None or table.kind != "r":
        return [_at_once(new, context), *_attach(new, context)]
    return [_build(new, _concurrently(new)), *_attach(new, context)]


def _at_once(new: Index, context: Context) -> Step:
    """ON ONLY a partitioned table nothing is built; on a materialized view and a new table nobody waits for long."""
    relation = context.relation(new.key)
    scans = (qualified(*new.key.owner),) if isinstance(relation, View) else ()
    locks = {qualified(*new.key.owner): Lock.SHARE} if relation else {}
    return step(new, "Create", creation.create(new), definition.drop(new), locks=locks, scans=scans)


def _concurrently(new: Index) -> str:
    head, word, rest = new.definition.partition(" INDEX ")
    return f"{head}{word}CONCURRENTLY {rest}"


def _build(new: Index, statement: str, name: str = "") -> Step:
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {name}", name=sql.Identifier(new.schema, name or new.name))
    return step(
        new,
        "Create",
        [statement, *definition.comments(new)] if not name else [statement],
        [gone],
        locks={qualified(new.schema, new.table): Lock.SHARE_UPDATE_EXCLUSIVE},
        transaction=Transaction.NONE,
    )


def _attach(new: Index, context: Context) -> list[Step]:
    """An index of a partition becomes part of that of the partitioned table, which is valid once all have."""
    if not new.parent:
        return []
    attach = text(
        "ALTER INDEX {parent} ATTACH PARTITION {name}", parent=new.parent, name=sql.Identifier(new.schema, new.name)
    )
    return [step(new, "Attach", [attach], [], locks=_on_table(new, Lock.ACCESS_SHARE, context))]


def _on_table(item: Index, lock: Lock, context: Context) -> dict[str, Lock]:
    return {qualified(*item.key.owner): lock} if context.relation(item.key) and lock > Lock.ACCESS_SHARE else {}


def drop(old: Object, context: Context) -> list[Step]:
    """Drop an index; one that a partitioned table has part in only goes under a short lock."""
    assert isinstance(old, Index)  # noqa: S101  by key
    table = context.table(old.key)
    if table is None or table.kind != "r":
        return [step(old, "Drop", definition.drop(old), creation.create(old), locks=context.lock(old.key))]
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {name}", name=sql.Identifier(old.schema, old.name))
    return [
        step(
            old,
            "Drop",
            [gone],
            [_concurrently(old), *definition.comments(old)],
            locks={qualified(old.schema, old.table): Lock.SHARE_UPDATE_EXCLUSIVE},
            transaction=Transaction.NONE,
        )
    ]


def recreates(item: Difference, context: Context) -> bool:
    """Whether the index can only be dropped and built again."""
    live, new = _both(item)
    table = context.table(new.key)
    return (live.parent != new.parent and bool(live.parent)) or (
        (table is None or table.kind != "r") and _differs(live, new)
    )


def _both(item: Difference) -> tuple[Index, Index]:
    live, new = item.both
    assert isinstance(live, Index)  # noqa: S101  by key
    assert isinstance(new, Index)  # noqa: S101  by key
    return live, new


def _differs(live: Index, new: Index) -> bool:
    return live.definition != new.definition or (new.valid and not live.valid)


def change(item: Difference, context: Context) -> list[Step]:
    """Build the new index beside the old one, which goes once it is there; the queries never lack both."""
    live, new = _both(item)
    if not _differs(live, new):
        return [*_attach(new, context), *comments(item, context)]
    beside = f"{new.name}_new"[:63]
    build = _build(
        new,
        _HEAD.sub(lambda head: f"{head[1]}CONCURRENTLY " + sql.Identifier(beside).as_string(None), new.definition),
        beside,
    )
    take = text(
        "ALTER INDEX {beside} RENAME TO {name}",
        beside=sql.Identifier(new.schema, beside),
        name=sql.Identifier(new.name),
    )
    back = text(
        "ALTER INDEX {name} RENAME TO {beside}",
        name=sql.Identifier(new.schema, new.name),
        beside=sql.Identifier(beside),
    )
    renamed = step(new, "Rename", [take, *definition.comments(new)], [back])
    return [build, *drop(live, context), renamed, *_attach(new, context)]


# How pg_get_indexdef() begins: the name is quoted where it has to be.
_HEAD = re.compile(r"^(CREATE (?:UNIQUE )?INDEX )(?:\"(?:[^\"]|\"\")+\"|\S+)")
