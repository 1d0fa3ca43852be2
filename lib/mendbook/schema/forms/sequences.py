"""Sequences: changed in place, and given to the columns that they serve once these are there."""

from __future__ import annotations

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms import identity
from mendbook.schema.forms.context import Context, comments, step, whole
from mendbook.schema.objects import Object, Sequence
from mendbook.schema.relations import Column
from mendbook.schema.step import Step
from mendbook.schema.text import text

_NUMBERS = ("smallint", "integer", "bigint")


def create(new: Object, context: Context) -> list[Step]:
    """Create a sequence that nobody owns yet."""
    return [step(new, "Create", creation.create(new), definition.drop(new))]


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a sequence."""
    assert isinstance(old, Sequence)  # noqa: S101  by key
    undo = whole(old, context.live)
    if old.owner and old.owner not in context.going:
        undo.append(creation.own_sequence(old))
    return [step(old, "Drop", definition.drop(old), undo, loses=f"the position of {old.key}")]


def recreates(item: Difference, context: Context) -> bool:
    """Every change is made in place."""
    return False


def change(item: Difference, context: Context) -> list[Step]:
    """Change how a sequence counts."""
    live, new = _both(item)
    forward, undo = _options(live, new), _options(new, live)
    lost = f"the position of {new.key}" if any(each.endswith(" RESTART") for each in forward) else ""
    made = [step(new, "Change", forward, undo, loses=lost)] if forward else []
    return [*made, *comments(item, context)]


def settle(item: Difference, context: Context) -> list[Step]:
    """Give a sequence to another column, or to nobody."""
    live, new = _both(item)
    if live.owner == new.owner:
        return []
    back = [creation.own_sequence(live)] if live.owner is None or live.owner not in context.going else []
    return [step(new, "Give to its column", [creation.own_sequence(new)], back)]


def loosen(old: Object, context: Context) -> list[Step]:
    """Take a sequence from its column, whose table goes before the one that gets the sequence is there."""
    assert isinstance(old, Sequence)  # noqa: S101  by key
    forward, undo = (creation.own_sequence(each) for each in (loosened(old), old))
    return [step(old, "Take from its column", [forward], [undo])]


def loosened(old: Sequence) -> Sequence:
    """What `loosen` leaves of a sequence."""
    return old._replace(owner_schema=None, owner_table=None, owner_column=None)


def give(new: Sequence, context: Context) -> list[Step]:
    """Give a new sequence to a column that is there already; it goes on where the column's values end."""
    assert new.owner is not None  # noqa: S101  by what calls this
    column = context.desired.objects[new.owner]
    counted = isinstance(column, Column) and column.type in _NUMBERS
    position = identity.position(new, new.owner) if counted else []
    return [step(new, "Give to its column", [creation.own_sequence(new), *position], [])]


def moves(item: Sequence, context: Context) -> bool:
    """Whether a sequence that is there goes from one column to another."""
    live, new = (side.objects.get(item.key) for side in (context.live, context.desired))
    return isinstance(live, Sequence) and isinstance(new, Sequence) and live.owner != new.owner


def _both(item: Difference) -> tuple[Sequence, Sequence]:
    live, new = item.both
    assert isinstance(live, Sequence)  # noqa: S101  by key
    assert isinstance(new, Sequence)  # noqa: S101  by key
    return live, new


def _options(old: Sequence, new: Sequence) -> list[str]:
    made = []
    if creation.sequence_options(old) != creation.sequence_options(new):
        options = creation.sequence_options(new)
        # What it starts with must be within its limits, and so must the place where it stands.
        options += "" if new.minimum <= old.start <= new.maximum else " RESTART"
        made.append(text("ALTER SEQUENCE {name} {options}", name=definition.name(new), options=options))
    if old.persistence != new.persistence:
        word = "UNLOGGED" if new.persistence == "u" else "LOGGED"
        made.append(text("ALTER SEQUENCE {name} SET {word}", name=definition.name(new), word=word))
    return made
