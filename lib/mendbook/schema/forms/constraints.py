"""Constraints: checked against the rows only once the lock is a weak one, unique ones over an index that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.definition import alter_table
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, naming, rename, step
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object
from mendbook.schema.relations import Constraint
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import aside, text

# pg_get_constraintdef() of a primary key or unique constraint over a b-tree.
_UNIQUE = re.compile(
    r"(?P<word>PRIMARY KEY|UNIQUE)(?P<nulls> NULLS NOT DISTINCT)? (?P<columns>\((?:\"(?:[^\"]|\"\")+\"|[^\")])+\))"
    r"(?P<include> INCLUDE \((?:\"(?:[^\"]|\"\")+\"|[^\")])+\))?(?P<with> WITH \([^)]*\))?"
    r"(?P<when>(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?)"
)


def create(new: Object, context: Context) -> list[Step]:
    """Add a constraint."""
    assert isinstance(new, Constraint)  # noqa: S101  by key
    if new.key in context.renamed:
        return [rename(context.renamed[new.key], new, context)]
    table = context.table(new.key)
    unique = None if _OVERLAPS in new.definition else _UNIQUE.fullmatch(new.definition)
    if table is not None and table.kind == "r" and new.kind in "pu" and unique:
        return _using_index(new, unique, context)
    if table is not None and new.kind in "cf" and "NOT ENFORCED" not in new.definition and _later(new, context):
        return _later(new, context)
    locks = {**context.lock(new.key), **_others(new, Lock.SHARE_ROW_EXCLUSIVE, context)}
    # The foreign tables among them hold no rows here; partitions have keys of their own by then.
    whole = new.kind in "pux" and (table is None or table.kind != "p")
    scans = tuple(context.family(new.key)) if whole else ()
    children = context.desired.attached.get(qualified(new.schema, new.name), ())
    had = (context.live.objects.get(each.key) for each in children)
    kept = (each for each in had if isinstance(each, Constraint) and not each.parent)
    undo = [] if new.parent else [*definition.drop(new), *(line for each in kept for line in creation.create(each))]
    return [step(new, "Add", creation.create(new), undo, locks=locks, scans=scans)]


_OVERLAPS = " WITHOUT OVERLAPS)"  # an index alone cannot say that


def attach(new: Constraint, context: Context) -> Step:
    """Make the key of a partition part of the index of the partitioned table."""
    return step(new, "Attach", [definition.attach(new)], [], locks=context.lock(new.key))


def _others(new: Constraint, lock: Lock, context: Context) -> dict[str, Lock]:
    """The tables that a foreign key points to."""
    if not new.references or not context.exists(new.references):
        return {}
    return dict.fromkeys([new.references, *context.descendants(new.references)], lock)


def _later(new: Constraint, context: Context) -> list[Step]:
    """Added for new rows first; those that are there are read without blocking anybody."""
    table = context.table(new.key)
    if table is None or table.kind == "f":
        return []
    if table.kind == "p" and new.kind == "f" and context.live.major < _PARTITIONED:
        return []
    lock = Lock.SHARE_ROW_EXCLUSIVE if new.kind == "f" else Lock.ACCESS_EXCLUSIVE
    unchecked = new.definition.removesuffix(" NOT VALID") + " NOT VALID"
    added = step(
        new,
        "Add",
        [definition.add_constraint(new, unchecked), *definition.comments(new)],
        definition.drop(new),
        locks={**context.lock(new.key, lock), **_others(new, lock, context)},
    )
    return [added, *([_validate(new, context)] if new.validated else [])]


_PARTITIONED = 18  # the major version since which a foreign key of a partitioned table can be NOT VALID


def _validate(new: Constraint, context: Context) -> Step:
    return Step(
        title=f"Check the rows against {new.key}",
        forward=(alter_table(new, text("VALIDATE CONSTRAINT {name}", name=sql.Identifier(new.name))),),
        undo=(),
        locks={
            **_others(new, Lock.ROW_SHARE, context),
            **context.lock(new.key, Lock.SHARE_UPDATE_EXCLUSIVE),
        },
        transaction=Transaction.OWN,
    )


def _using_index(new: Constraint, said: re.Match[str], context: Context) -> list[Step]:
    """A unique index is built without blocking writes; taking it over as a constraint only changes the catalog."""
    name = qualified(new.schema, new.table)
    # While the old constraint is there, its name is taken; with the new one, the index gets the constraint's name.
    taken = any(new.key._replace(kind=kind) in context.live.objects for kind in ("constraint", "index"))
    beside = aside(new.name, "_new") if taken else new.name
    index = sql.Identifier(beside)
    build = text(
        "CREATE UNIQUE INDEX CONCURRENTLY {i} ON {t} {columns}{include}{nulls}{w}",
        i=index,
        t=sql.Identifier(new.schema, new.table),
        columns=said["columns"],
        include=said["include"] or "",
        nulls=said["nulls"] or "",
        w=said["with"] or "",
    )
    take = alter_table(
        new,
        text(
            "ADD CONSTRAINT {n} {word} USING INDEX {i}{when}",
            n=sql.Identifier(new.name),
            word=said["word"],
            i=index,
            when=said["when"],
        ),
    )
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {i}", i=sql.Identifier(new.schema, beside))
    return [
        Step(
            title=f"Build the index of {new.key}",
            forward=(build,),
            undo=(gone,),
            locks={name: Lock.SHARE_UPDATE_EXCLUSIVE},
            transaction=Transaction.NONE,
        ),
        Step(
            title=f"Take the index over as {new.key}",
            forward=(take, *definition.comments(new)),
            # The key of the partitioned table takes it with it.
            undo=() if new.parent else tuple(definition.drop(new)),
            locks=context.lock(new.key),
            scans=(name,) if new.kind == "p" else (),
        ),
    ]


def is_preparation(made: Step) -> bool:
    """Whether a step of `create` can be made long before the rest: the build of an index."""
    return made.transaction is Transaction.NONE


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a constraint."""
    assert isinstance(old, Constraint)  # noqa: S101  by key
    locks = {**context.lock(old.key), **_others(old, Lock.ACCESS_EXCLUSIVE, context)}
    return [step(old, "Drop", definition.drop(old), list(_again(old, context)), locks=locks)]


def _again(old: Constraint, context: Context) -> Iterator[str]:
    """The statements that make a constraint as it is live; the keys of partitions first, which it takes over."""
    attached = context.live.attached.get(qualified(old.schema, old.name), ())
    for each in (each for each in attached if Key("table", *each.key.owner) not in context.going):
        if isinstance(each, Constraint):
            yield from _again(each, context)
    yield from (*creation.create(old), *naming(old, context))


def recreates(item: Difference, context: Context) -> bool:
    """Whether the constraint can only be dropped and added again."""
    live, new = item.both
    assert isinstance(live, Constraint)  # noqa: S101  by key
    assert isinstance(new, Constraint)  # noqa: S101  by key
    same = live.definition.removesuffix(" NOT VALID") == new.definition.removesuffix(" NOT VALID")
    leaves = live.local != new.local if new.parent == live.parent else bool(live.parent)
    return not same or (live.validated and not new.validated) or leaves


def change(item: Difference, context: Context) -> list[Step]:
    """Check the rows against a constraint that was not valid; change its comment."""
    live, new = item.both
    assert isinstance(live, Constraint)  # noqa: S101  by key
    assert isinstance(new, Constraint)  # noqa: S101  by key
    if live.validated or not new.validated:
        attached = [attach(new, context)] if live.parent != new.parent else []
        return [*attached, *comments(item, context)]
    unchecked = [*definition.drop(live), *creation.create(live)]
    return [replace(_validate(new, context), undo=tuple(unchecked)), *comments(item, context)]
