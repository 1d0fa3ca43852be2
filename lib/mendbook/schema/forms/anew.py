"""Types and collations made anew under the columns that have them: all that hang together in one step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.definition import alter_table
from mendbook.schema.drift import Difference
from mendbook.schema.forms import types
from mendbook.schema.forms.context import Context, belonging, unplannable
from mendbook.schema.key import Key
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Collation, Object, Type
from mendbook.schema.relations import Column
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step
from mendbook.schema.text import aside, text


def replaces(item: Difference, context: Context) -> bool:
    """Whether a changed type or collation has to be made anew."""
    if isinstance(item.desired, Collation):
        return "definition" in item.fields
    return isinstance(item.desired, Type) and types.replaces(item, context)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Types and collations that are made anew together, those first that others need."""

    live: tuple[Type | Collation, ...]
    desired: tuple[Type | Collation, ...]


def arrange(keys: Iterable[Key], context: Context) -> Group:
    """The group of the types and collations called *keys*."""
    sides = []
    for side in (context.live, context.desired):
        ordered: dict[Key, None] = {}
        for key in sorted(keys):
            _add(key, keys, side, ordered)
        found = (side.objects.get(key, context.live.objects[key]) for key in ordered)
        sides.append(tuple(each for each in found if isinstance(each, Type | Collation)))
    return Group(live=sides[0], desired=sides[1])


def _add(key: Key, keys: Iterable[Key], side: Snapshot, ordered: dict[Key, None]) -> None:
    for need in sorted(side.needs.get(key, ())):
        if need in keys and need not in ordered:
            _add(need, keys, side, ordered)
    ordered[key] = None


def change(group: Group, context: Context) -> list[Step]:
    """Put the old ones aside, make the new ones, move every column over, and drop the old ones."""
    keys = [each.key for each in group.live]
    columns = _columns(keys, context)
    for each in columns:
        _check(each, group, context)
    forward = _moved(group.live, group.desired, columns, context.desired, context)
    undo = _moved(group.desired, group.live, columns, context.live, context)
    locks = {name: Lock.ACCESS_EXCLUSIVE for each in columns for name in context.lock(each.key)}
    changed = (Difference(key=e.key, live=e, desired=context.desired.objects.get(e.key, e)) for e in group.live)
    lost = [types.loses(each, context) for each in changed if isinstance(each.desired, Type)]
    return [
        Step(
            title=f"Make anew {', '.join(map(str, keys))}",
            forward=tuple(forward),
            undo=tuple(undo),
            locks=locks,
            rewrites=tuple(locks),
            loses="; ".join(filter(None, lost)),
        )
    ]


def _columns(keys: Iterable[Key], context: Context) -> list[Column]:
    """The columns that have the types, or whose default names one; those that come with their parent's not."""
    users = {user for key in keys for user in context.live.needed_by.get(key, ())}
    users -= {key for key in users if {key, Key("table", *key.owner)} & context.going}
    found = (context.live.objects[key] for key in sorted(users) if key.kind == "column")
    return [each for each in found if isinstance(each, Column) and each.local and _still_needs(each, keys, context)]


def _still_needs(item: Column, keys: Iterable[Key], context: Context) -> bool:
    """Whether a column has the type or collation afterwards as well: else it is changed before."""
    return item.key not in context.desired.objects or bool(context.desired.needs.get(item.key, frozenset()) & {*keys})


def _check(item: Column, group: Group, context: Context) -> None:
    """Composite values in arrays cannot be taken apart in the one expression that ALTER TYPE takes."""
    for old, new in zip(group.live, group.desired, strict=True):
        composite = isinstance(old, Type) and isinstance(new, Type) and old.kind == "c" and old != new
        if composite and item.type.endswith("[]") and _is_of(item, old):
            raise unplannable(
                Difference(key=old.key, live=old, desired=new),
                f"{item.key} holds arrays of it, which cannot be converted",
            )


def _is_of(item: Column, old: Type | Collation) -> bool:
    """Whether a column has the type itself, an array of it, or for a range its multirange."""
    base = re.sub(r"[\[\]\"]", "", item.type)
    names = [f"{old.schema}.{old.name}"]
    if isinstance(old, Type):
        names += [each.replace('"', "") for each in _MULTIRANGE.findall(old.definition or "")]
    return base in names


_MULTIRANGE = re.compile(r"MULTIRANGE_TYPE_NAME = (.+)$")


def _moved(
    old: tuple[Type | Collation, ...],
    new: tuple[Type | Collation, ...],
    columns: list[Column],
    side: Snapshot,
    context: Context,
) -> Iterator[str]:
    for each in reversed(old):
        if _is_range(each):
            # Its constructors and its multirange would stand in the way under their old names.
            yield from (_to_text(column) for column in columns if _is_of(column, each))
            yield from definition.drop(each)
        else:
            yield _renamed(each)
    for each in new:
        yield from creation.create(each)
        for part in _parts(each, side, context):
            yield from creation.create(part)
    names = {each.key: each for each in new}
    for column in columns:
        wanted = side.objects.get(column.key)
        kept = wanted if isinstance(wanted, Column) and wanted.type == column.type else column
        yield from _column(column, kept.default, old, names)
    for each in reversed(old):
        if not _is_range(each):
            gone = sql.Identifier(each.schema, aside(each.name, "_old"))
            yield text("DROP {w} {n}", w=definition.word(each), n=gone)


def _parts(item: Type | Collation, side: Snapshot, context: Context) -> list[Object]:
    """What belongs to a type on one side; and what is live alone, where that is left as it is."""
    live = [each for each in belonging(item, context.live) if each.key not in context.desired.objects]
    kept = [each for each in live if each.key not in context.going] if side is context.desired else []
    return [*belonging(item, side), *kept]


def _is_range(item: Type | Collation) -> bool:
    return isinstance(item, Type) and item.kind == "r"


def _to_text(item: Column) -> str:
    name = sql.Identifier(item.name)
    default = "" if item.default is None else text("ALTER COLUMN {n} DROP DEFAULT, ", n=name)
    brackets = "[]" * item.type.count("[]")
    return alter_table(item, default + text("ALTER COLUMN {n} TYPE text{b} USING {n}::text{b}", n=name, b=brackets))


def _renamed(item: Type | Collation) -> str:
    name = sql.Identifier(aside(item.name, "_old"))
    return text("ALTER {w} {n} RENAME TO {a}", w=definition.word(item), n=definition.name(item), a=name)


def _column(
    item: Column, default: str | None, old: tuple[Type | Collation, ...], new: Mapping[Key, Object]
) -> Iterator[str]:
    """Move a column, whose type is spelled alike before and after; the default comes back once it has moved."""
    name = sql.Identifier(item.name)
    parts = []
    if item.default is not None:
        parts.append(text("ALTER COLUMN {n} DROP DEFAULT", n=name))
    of = next((each for each in old if _is_of(item, each)), None)
    if of is not None:
        using = _converted(name, item, of, new[of.key])
        collation = f" COLLATE {item.collation}" if item.collation else ""
        parts.append(text("ALTER COLUMN {n} TYPE {t}{c} USING {u}", n=name, t=item.type, c=collation, u=using))
    elif item.collation:
        parts.append(text("ALTER COLUMN {n} TYPE {t} COLLATE {c}", n=name, t=item.type, c=item.collation))
    if default is not None:
        parts.append(text("ALTER COLUMN {n} SET DEFAULT {d}", n=name, d=default))
    if parts:
        yield alter_table(item, ", ".join(parts))


def _converted(name: sql.Identifier, item: Column, old: Type | Collation, new: Object) -> str:
    """A value of the new type: through text, or attribute by attribute."""
    if isinstance(old, Type) and isinstance(new, Type) and old.kind == new.kind == "c":
        had = {each[0]: each[1] for each in old.attributes}
        values = [
            text("({n}).{a}::text::{t}", n=name, a=sql.Identifier(each), t=spelled)
            if each in had
            else f"NULL::{spelled}"
            for each, spelled in new.attributes
        ]
        row = text("ROW({v})::{t}", v=", ".join(values), t=item.type)
        return text("CASE WHEN {n} IS NOT NULL OR {n}::text IS NOT NULL THEN {r} END", n=name, r=row)
    brackets = "[]" * item.type.count("[]")
    return text("{n}::text{a}::{t}", n=name, a=brackets, t=item.type)
