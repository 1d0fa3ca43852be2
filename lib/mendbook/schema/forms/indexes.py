"""Indexes: built and dropped without blocking reads or writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, naming, rename, step
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object
from mendbook.schema.relations import Constraint, Index, Table, View
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import aside, text


def create(new: Object, context: Context) -> list[Step]:
    """Build an index; that of a partitioned table is made of those of its partitions."""
    assert isinstance(new, Index)  # noqa: S101  by key
    if new.key in context.renamed:
        return [rename(context.renamed[new.key], new, context)]
    table = context.table(new.key)
    if table is None or table.kind != "r":
        return [_at_once(new, context), *_attach(new, context)]
    build = _build(new, [_concurrently(new), *creation.create(new)[1:]])
    after = context.desired.objects.get(table.key)
    if not new.parent or (isinstance(after, Table) and after.parents != table.parents):
        return [build]  # what becomes part of a partitioned table brings its indexes
    # The index of the partitioned table takes it with it.
    return [replace(build, undo=()), *_attach(new, context)]


def _at_once(new: Index, context: Context) -> Step:
    """ON ONLY a partitioned table nothing is built; on a materialized view and a new table nobody waits for long."""
    relation = context.relation(new.key)
    scans = (qualified(*new.key.owner),) if isinstance(relation, View) else ()
    locks = {qualified(*new.key.owner): Lock.SHARE} if relation else {}
    children = context.desired.attached.get(qualified(new.schema, new.name), ())
    undo = [line for each in (new, *children) for line in definition.drop(each)]
    undo += [line for each in children for line in _kept(each, context)]
    return step(new, "Create", creation.create(new), () if new.parent else undo, locks=locks, scans=scans)


def _kept(item: Index | Constraint, context: Context) -> list[str]:
    """An index of a partition that was there on its own before is made again."""
    live = context.live.objects.get(item.key)
    return creation.create(live) if isinstance(live, Index | Constraint) and not live.parent else []


def _concurrently(new: Index) -> str:
    head, word, rest = new.definition.partition(" INDEX ")
    return f"{head}{word}CONCURRENTLY {rest}"


def _build(new: Index, statements: list[str], name: str = "") -> Step:
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {name}", name=sql.Identifier(new.schema, name or new.name))
    return step(
        new,
        "Create",
        statements,
        [gone],
        locks={qualified(new.schema, new.table): Lock.SHARE_UPDATE_EXCLUSIVE},
        transaction=Transaction.NONE,
    )


def _again(old: Index | Constraint, context: Context) -> Iterator[str]:
    """The statements that make an index of a partitioned table, with those of its partitions, as they are live."""
    yield from (*creation.create(old), *naming(old, context))
    attached = context.live.attached.get(qualified(old.schema, old.name), ())
    for each in (each for each in attached if Key("table", *each.key.owner) not in context.going):
        yield from _again(each, context)
        yield definition.attach(each)


def _attach(new: Index, context: Context) -> list[Step]:
    """An index of a partition becomes part of that of the partitioned table, which is valid once all have."""
    if not new.parent:
        return []
    above = context.live.objects.get(context.live.indexes.get(new.parent, new.key))
    kept = f"nothing: {above.key} stays valid" if isinstance(above, Index) and not above.valid else ""
    locks = _on_table(new, Lock.ACCESS_SHARE, context)
    return [step(new, "Attach", [definition.attach(new)], [], locks=locks, undo_loses=kept)]


def _on_table(item: Index, lock: Lock, context: Context) -> dict[str, Lock]:
    return {qualified(*item.key.owner): lock} if context.relation(item.key) and lock > Lock.ACCESS_SHARE else {}


def drop(old: Object, context: Context) -> list[Step]:
    """Drop an index; one that a partitioned table has part in only goes under a short lock."""
    assert isinstance(old, Index)  # noqa: S101  by key
    table = context.table(old.key)
    if table is None or table.kind != "r" or old.key in context.again:
        locks = {**context.lock(old.key), **_pointing(old, context)}
        return [step(old, "Drop", definition.drop(old), list(_again(old, context)), locks=locks)]
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {name}", name=sql.Identifier(old.schema, old.name))
    return [
        step(
            old,
            "Drop",
            [gone],
            [_concurrently(old), *creation.create(old)[1:], *naming(old, context)] if old.valid else [],
            undo_loses="" if old.valid else f"nothing: {old.key} is not valid and serves no query",
            locks={qualified(old.schema, old.table): Lock.SHARE_UPDATE_EXCLUSIVE},
            transaction=Transaction.NONE,
        )
    ]


def recreates(item: Difference, context: Context) -> bool:
    """Whether the index can only be dropped and built again."""
    live, new = _both(item)
    table = context.table(new.key)
    if table and table.kind == "p" and live.valid and not new.valid:
        return True
    pointed = any(each.kind == "constraint" for each in context.live.needed_by.get(new.key, ()))
    at_once = table is None or table.kind != "r" or bool(live.parent) or pointed
    return (live.parent != new.parent and bool(live.parent)) or (at_once and _differs(live, new))


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
        attached = _attach(new, context) if live.parent != new.parent else []
        return [*attached, *_targets(live, new, context), *comments(item, context)]
    beside = aside(new.name, "_new")
    build = _build(
        new,
        [_HEAD.sub(lambda head: f"{head[1]}CONCURRENTLY " + sql.Identifier(beside).as_string(None), new.definition)],
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
    renamed = step(new, "Rename", [take, *creation.create(new)[1:]], [back])
    return [build, *drop(live, context), renamed, *_attach(new, context)]


def _targets(live: Index, new: Index, context: Context) -> list[Step]:
    """The statistics targets of the columns that are expressions."""
    had, wanted = ({one[0]: one[1] for one in each.statistics} for each in (live, new))
    differ = [number for number in {**had, **wanted} if had.get(number) != wanted.get(number)]
    if not differ:
        return []
    forward, undo = (
        [creation.index_statistics(new, each, side.get(each, -1)) for each in differ] for side in (wanted, had)
    )
    return [step(new, "Change", forward, undo)]


def _pointing(old: Index, context: Context) -> dict[str, Lock]:
    """The tables whose foreign keys need the index."""
    users = context.live.needed_by.get(old.key, ())
    return {qualified(*each.owner): Lock.ACCESS_EXCLUSIVE for each in users if each.kind == "constraint"}


# How pg_get_indexdef() begins: the name is quoted where it has to be.
_HEAD = re.compile(r"^(CREATE (?:UNIQUE )?INDEX )(?:\"(?:[^\"]|\"\")+\"|\S+)")
