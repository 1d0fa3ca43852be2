"""Types: values added to enums, domains and composites changed in place, all else made anew under the columns."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step, unplannable
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object, Type
from mendbook.schema.relations import Column
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import text


def create(new: Object, context: Context) -> list[Step]:
    """Create a type."""
    return [step(new, "Create", creation.create(new), definition.drop(new))]


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a type that nothing uses any longer."""
    return [step(old, "Drop", definition.drop(old), creation.create(old))]


def recreates(item: Difference, context: Context) -> bool:
    """A type is never dropped under the columns that have it: `change` makes it anew beside the old one."""
    return False


def disturbs(item: Difference) -> bool:
    """Whether what uses the type, columns aside, stands in the way."""
    return replaces(item)


def replaces(item: Difference) -> bool:
    """Whether the type has to be made anew."""
    live, new = _both(item)
    if live.kind != new.kind or live.definition != new.definition:
        return True
    return new.kind == "e" and [each for each in new.labels if each in live.labels] != live.labels


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, new = _both(item)
    gone = [each for each in live.labels if each not in new.labels]
    if new.kind == live.kind == "e" and gone:
        return f"the values {', '.join(gone)} of {item.key}, so that it fails where a row has one of them"
    gone = [name for name, _ in live.attributes if name not in _pairs(new.attributes)]
    return f"the attributes {', '.join(gone)} of {item.key}" if gone else ""


def change(item: Difference, context: Context) -> list[Step]:
    """Change a type in place where PostgreSQL can, else make it anew."""
    live, new = _both(item)
    if replaces(item):
        return _replace(item, context)
    made = [
        *_add_values(live, new),
        *_change_domain(live, new, context),
        *_change_attributes(item, context),
    ]
    return [*made, *comments(item, context)]


def _both(item: Difference) -> tuple[Type, Type]:
    live, new = item.both
    assert isinstance(live, Type)  # noqa: S101  by key
    assert isinstance(new, Type)  # noqa: S101  by key
    return live, new


def _columns(item: Type, context: Context) -> list[Column]:
    """The columns that have the type."""
    users = context.live.needed_by.get(item.key, frozenset())
    found = (context.live.objects[key] for key in sorted(users) if key.kind == "column")
    return [each for each in found if isinstance(each, Column)]


# ---- enums


def _add_values(live: Type, new: Type) -> Iterator[Step]:
    for label in new.labels:
        if label in live.labels:
            continue
        before = new.labels[: new.labels.index(label)]
        place = text(" AFTER {label}", label=sql.Literal(before[-1])) if before else _before_first(live)
        added = text("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {l}", name=definition.name(new), l=sql.Literal(label))
        yield Step(
            title=f"Add the value {label!r} to {new.key}",
            forward=(added + place,),
            undo=(),
            transaction=Transaction.NONE,
            undo_loses=f"nothing: PostgreSQL cannot remove the value {label!r} from an enum, so it stays",
        )


def _before_first(live: Type) -> str:
    return text(" BEFORE {label}", label=sql.Literal(live.labels[0])) if live.labels else ""


# ---- a type made anew


def _replace(item: Difference, context: Context) -> list[Step]:
    """Put the old type aside, make the new one, move every column over, and drop the old one."""
    live, new = _both(item)
    columns = _columns(live, context)
    if (live.kind == "c" or new.kind == "c") and columns:
        raise unplannable(item, f"{columns[0].key} has that type")
    forward, undo = list(_moved(live, new, columns, context)), list(_moved(new, live, columns, context, back=True))
    locks = {name: Lock.ACCESS_EXCLUSIVE for each in columns for name in context.lock(each.key)}
    lost = loses(item, context)
    return [step(new, "Make anew", forward, undo, locks=locks, rewrites=tuple(locks), loses=lost)]


def _moved(old: Type, new: Type, columns: list[Column], context: Context, *, back: bool = False) -> Iterator[str]:
    aside = f"{old.name}_old"[:63]
    yield text("ALTER {w} {n} RENAME TO {a}", w=definition.word(old), n=definition.name(old), a=sql.Identifier(aside))
    yield from creation.create(new)
    for each in columns:
        wanted = context.desired.objects.get(each.key)
        kept = wanted if isinstance(wanted, Column) and not back and wanted.type == each.type else each
        yield _column(each, kept.default)
    aside_name = sql.Identifier(old.schema, aside)
    yield text("DROP {w} {n}", w=definition.word(old), n=aside_name)


def _column(item: Column, default: str | None) -> str:
    """Move a column, whose type is spelled alike before and after, through text."""
    name = sql.Identifier(item.name)
    parts = [text("ALTER COLUMN {n} TYPE {t} USING {n}::text{a}::{t}", n=name, t=item.type, a=_brackets(item.type))]
    if item.default is not None:
        parts.insert(0, text("ALTER COLUMN {n} DROP DEFAULT", n=name))
    if default is not None:
        parts.append(text("ALTER COLUMN {n} SET DEFAULT {d}", n=name, d=default))
    return definition.alter_table(item, ", ".join(parts))


def _brackets(spelled: str) -> str:
    return "[]" * spelled.count("[]")


# ---- domains and composites


def _change_domain(live: Type, new: Type, context: Context) -> Iterator[Step]:
    if new.kind != "d":
        return
    head = text("ALTER DOMAIN {name} ", name=definition.name(new))
    lock = {qualified(each.schema, each.table): Lock.SHARE for each in _columns(new, context)}
    if live.default != new.default:
        forward, undo = (
            head + ("DROP DEFAULT" if each.default is None else f"SET DEFAULT {each.default}") for each in (new, live)
        )
        yield step(new, "Change", [forward], [undo])
    had, wanted = (_pairs(each.checks) for each in (live, new))
    for name, check in had.items():
        if wanted.get(name) != check:
            gone, again = _check(head, name, check)
            yield step(new, "Change", [gone], [again])
    for name, check in wanted.items():
        if had.get(name) != check:
            gone, _ = _check(head, name, check)
            added = text("ADD CONSTRAINT {n} {d}", n=sql.Identifier(name), d=check.removesuffix(" NOT VALID"))
            yield step(new, "Change", [f"{head}{added} NOT VALID"], [gone])
            if not check.endswith(" NOT VALID"):
                validate = text("VALIDATE CONSTRAINT {n}", n=sql.Identifier(name))
                yield step(new, "Check the rows against", [head + validate], [], locks=lock, scans=tuple(lock))
    if live.not_null != new.not_null:
        words = ("SET NOT NULL", "DROP NOT NULL")
        forward, undo = (head + words[not each.not_null] for each in (new, live))
        scans = tuple(lock) if new.not_null else ()
        yield step(new, "Change", [forward], [undo], locks=lock if new.not_null else {}, scans=scans)


def _pairs(listed: list[list[str]]) -> dict[str, str]:
    return {each[0]: each[1] for each in listed}


def _check(head: str, name: str, check: str) -> tuple[str, str]:
    named = sql.Identifier(name)
    return head + text("DROP CONSTRAINT {n}", n=named), head + text("ADD CONSTRAINT {n} {d}", n=named, d=check)


def _change_attributes(item: Difference, context: Context) -> list[Step]:
    live, new = _both(item)
    if live.attributes == new.attributes:
        return []
    columns = _columns(live, context)
    if columns:
        raise unplannable(item, f"{columns[0].key} has that type")
    forward, undo = list(_attributes(live, new)), list(_attributes(new, live))
    return [step(new, "Change", forward, undo, loses=loses(item, context))]


def _attributes(old: Type, new: Type) -> Iterator[str]:
    head = text("ALTER TYPE {name} ", name=definition.name(new))
    had, wanted = _pairs(old.attributes), _pairs(new.attributes)
    for name in had.keys() - wanted.keys():
        yield head + text("DROP ATTRIBUTE {n}", n=sql.Identifier(name))
    for name, spelled in wanted.items():
        if name not in had:
            yield head + text("ADD ATTRIBUTE {n} {t}", n=sql.Identifier(name), t=spelled)
        elif had[name] != spelled:
            yield head + text("ALTER ATTRIBUTE {n} TYPE {t}", n=sql.Identifier(name), t=spelled)


def is_moved(item: Difference, user: Key) -> bool:
    """Whether `change` itself takes care of *user*: the columns that have the type."""
    return replaces(item) and user.kind == "column"
