"""Types: values added to enums, domains and composites changed in place, all else made anew under the columns."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step, whole
from mendbook.schema.key import qualified
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
    return [step(old, "Drop", definition.drop(old), whole(old, context.live))]


def recreates(item: Difference, context: Context) -> bool:
    """A type is never dropped under the columns that have it: `anew` makes it beside the old one."""
    return False


def replaces(item: Difference, context: Context) -> bool:
    """Whether the type has to be made anew."""
    live, new = _both(item)
    if live.kind != new.kind or live.definition != new.definition:
        return True
    if live.kind == "c":
        return live.attributes != new.attributes and (_is_reordered(live, new) or bool(_columns(live, context)))
    if live.kind == "d":
        stricter = (new.not_null and not live.not_null) or any(each not in live.checks for each in new.checks)
        return stricter and not can_loosen(live, context)
    return live.kind == "e" and [each for each in new.labels if each in live.labels] != live.labels


def can_loosen(item: Type, context: Context) -> bool:
    """Whether the checks of a domain can be made again: PostgreSQL cannot look for values in arrays and rows."""
    users = context.live.needed_by.get(item.key, frozenset())
    inside = any(each.kind == "type" for each in users) or any("[]" in each.type for each in _columns(item, context))
    return item.kind == "d" and not inside


def _is_reordered(live: Type, new: Type) -> bool:
    """Attributes are added at the end alone."""
    kept = [each[0] for each in live.attributes if each[0] in _pairs(new.attributes)]
    return [each[0] for each in new.attributes][: len(kept)] != kept


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, new = _both(item)
    gone = [each for each in live.labels if each not in new.labels]
    if new.kind == live.kind == "e" and gone:
        return f"the values {', '.join(gone)} of {item.key}, so that it fails where a row has one of them"
    gone = [name for name, _ in live.attributes if name not in _pairs(new.attributes)]
    return f"the attributes {', '.join(gone)} of {item.key}" if gone else ""


def change(item: Difference, context: Context) -> list[Step]:
    """Change a type in place."""
    live, new = _both(item)
    made = [
        *_add_values(live, new),
        *_change_domain(live, new, context),
        *_change_attributes(item, context),
    ]
    return [*made, *_part_comments(live, new), *comments(item, context)]


def loosen(old: Object, context: Context) -> list[Step]:
    """Take the default and the checks of a domain away, for what they need is about to go."""
    assert isinstance(old, Type)  # noqa: S101  by key
    return list(_change_domain(old, loosened(old), context))


def loosened(old: Type) -> Type:
    """What `loosen` leaves of a domain."""
    return old._replace(default=None, checks=[], part_comments=[])


def _part_comments(live: Type, new: Type) -> list[Step]:
    had, wanted = _pairs(live.part_comments), _pairs(new.part_comments)
    parts = [each[0] for each in (new.checks if new.kind == "d" else new.attributes)]
    differ = [name for name in parts if had.get(name) != wanted.get(name)]
    if not differ:
        return []
    forward, undo = (
        [definition.type_part_comment(new, name, side.get(name)) for name in differ] for side in (wanted, had)
    )
    return [step(new, "Comment on parts of", forward, undo)]


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
