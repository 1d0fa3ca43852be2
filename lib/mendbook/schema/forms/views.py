"""Views and functions: replaced in place where PostgreSQL can, else dropped and made again with all that is theirs."""

from __future__ import annotations

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, belonging, comments, step
from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Function, Object
from mendbook.schema.relations import View
from mendbook.schema.step import Step


def create(new: Object, context: Context) -> list[Step]:
    """Create a view or a function."""
    return [step(new, "Create", creation.create(new), definition.drop(new))]


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a view or a function; its undo brings back all that belongs to it."""
    again = [
        *creation.create(old),
        *(line for part in belonging(old, context.live) for line in creation.create(part)),
    ]
    return [step(old, "Drop", definition.drop(old), again, locks=context.lock(old.key))]


def recreates(item: Difference, context: Context) -> bool:
    """Whether CREATE OR REPLACE refuses the change."""
    live, new = item.both
    if isinstance(live, View) and isinstance(new, View):
        had, wanted = (list(zip(each.columns, each.types, strict=True)) for each in (live, new))
        replaced = {"definition", "columns", "types", "options"} & set(item.fields)
        return bool(replaced) and (new.kind == "m" or live.kind == "m" or wanted[: len(had)] != had)
    assert isinstance(live, Function)  # noqa: S101  by key
    assert isinstance(new, Function)  # noqa: S101  by key
    same = (live.kind, live.signature, live.returns) == (new.kind, new.signature, new.returns)
    return not same or new.defaults < live.defaults or (new.kind == "a" and live.definition != new.definition)


def change(item: Difference, context: Context) -> list[Step]:
    """Replace a view or a function in place."""
    live, new = item.both
    made = []
    if isinstance(live, View) and isinstance(new, View):
        if {"definition", "columns", "types", "options"} & set(item.fields):
            forward, undo = creation.create_view(new, replace=True), creation.create_view(live, replace=True)
            made.append(step(new, "Replace", [forward], [undo], locks=context.lock(new.key)))
        made += _column_comments(live, new)
    elif isinstance(live, Function) and isinstance(new, Function) and live.definition != new.definition:
        made.append(step(new, "Replace", [new.definition.rstrip()], [live.definition.rstrip()]))
    return [*made, *comments(item, context)]


def _column_comments(live: View, new: View) -> list[Step]:
    had, wanted = ({one[0]: one[1] for one in each.column_comments} for each in (live, new))
    if had == wanted:
        return []
    differ = [name for name in {**had, **wanted} if had.get(name) != wanted.get(name)]
    forward, undo = (
        [definition.view_column_comment(new, name, side.get(name)) for name in differ if name in new.columns]
        for side in (wanted, had)
    )
    lock = {qualified(new.schema, new.name): Lock.SHARE_UPDATE_EXCLUSIVE}
    return [step(new, "Comment on columns of", forward, undo, locks=lock)]
