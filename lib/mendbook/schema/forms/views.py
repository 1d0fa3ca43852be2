"""Views and functions: replaced in place where PostgreSQL can, else dropped and made again with all that is theirs."""

from __future__ import annotations

import re

from mendbook.schema import casts, creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, again, comments, step, whole
from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Function, Object
from mendbook.schema.relations import View
from mendbook.schema.step import Step


def create(new: Object, context: Context) -> list[Step]:
    """Create a view or a function."""
    return [step(new, "Create", creation.create(new), definition.drop(new), locks=_looked_at(new, context))]


def _looked_at(item: Object, context: Context) -> dict[str, Lock]:
    """The tables that PostgreSQL may look at as ones to be written, when it checks the body of a function in SQL."""
    if not isinstance(item, Function) or "LANGUAGE sql" not in item.definition:
        return {}
    words = {*_WORD.findall(item.definition)}
    if not words & {"INSERT", "UPDATE", "DELETE", "MERGE", "insert", "update", "delete", "merge"}:
        return {}
    names = (name for word in words & context.live.called.keys() for name in context.live.called[word])
    return dict.fromkeys(names, Lock.ROW_EXCLUSIVE)


_WORD = re.compile(r"\w+")


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a view or a function; its undo brings back all that belongs to it."""
    return [step(old, "Drop", definition.drop(old), whole(old, context.live), locks=context.lock(old.key))]


def recreates(item: Difference, context: Context) -> bool:
    """Whether CREATE OR REPLACE refuses the change."""
    live, new = item.both
    if isinstance(live, View) and isinstance(new, View):
        had, wanted = (list(zip(each.columns, each.types, strict=True)) for each in (live, new))
        replaced = _REPLACED & set(item.fields)
        return bool(replaced) and ("m" in live.kind + new.kind or wanted[: len(had)] != had)
    assert isinstance(live, Function)  # noqa: S101  by key
    assert isinstance(new, Function)  # noqa: S101  by key
    same = (live.kind, live.signature, live.returns) == (new.kind, new.signature, new.returns)
    return not same or new.defaults < live.defaults or (new.kind == "a" and live.definition != new.definition)


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, new = item.both
    materialized = isinstance(live, View) and isinstance(new, View) and live.kind == "m" != new.kind
    return f"the rows and indexes of {item.key}" if materialized else ""


def change(item: Difference, context: Context) -> list[Step]:
    """Replace a view or a function in place."""
    live, new = item.both
    made = []
    if isinstance(live, View) and isinstance(new, View):
        if _REPLACED & set(item.fields):
            back = creation.create_view(live, replace=True)
            made.append(_replace(new, live, creation.create_view(new, replace=True), back, context))
        made += _defaults(live, new, context)
        made += _stored(live, new, context)
        made += _column_comments(live, new)
    elif isinstance(live, Function) and isinstance(new, Function) and live.definition != new.definition:
        made.append(_replace(new, live, new.definition.rstrip(), live.definition.rstrip(), context))
    return [*made, *comments(item, context)]


_REPLACED = {"kind", "definition", "columns", "types", "options", "method"}


def settle(item: Difference, context: Context) -> list[Step]:
    """What names an index of a materialized view waits for that."""
    live, new = item.both
    if not isinstance(live, View) or not isinstance(new, View) or live.clustered == new.clustered:
        return []
    return [_clustered(new, creation.cluster(live), context)]


def give(new: View, context: Context) -> list[Step]:
    """Name the index by which a new materialized view is clustered."""
    return [_clustered(new, creation.cluster(new._replace(clustered=None)), context)]


def _clustered(new: View, back: str, context: Context) -> Step:
    return step(new, "Change", [creation.cluster(new)], [back], locks=context.lock(new.key))


def _replace(new: View | Function, live: View | Function, forward: str, back: str, context: Context) -> Step:
    """Replace in place; where that does not lead back, undoing drops and makes again all that needs it."""
    locks = {**_looked_at(new, context), **context.lock(new.key)}
    if not recreates(Difference(key=new.key, live=new, desired=live), context):
        return step(new, "Replace", [forward], [back], locks=locks)
    undo = again(new.key, context)
    kept = "" if undo else f"nothing: what was added to {new.key} stays, for columns or types need it"
    return step(new, "Replace", [forward], undo or [], locks=locks, undo_loses=kept)


def _defaults(live: View, new: View, context: Context) -> list[Step]:
    had, wanted = ({one[0]: one[1] for one in each.defaults} for each in (live, new))
    differ = [name for name in {**had, **wanted} if had.get(name) != wanted.get(name) and name in new.columns]
    if not differ:
        return []
    forward, undo = (
        [
            creation.view_column(new, each, f"SET DEFAULT {side[each]}" if each in side else "DROP DEFAULT")
            for each in differ
        ]
        for side in (wanted, had)
    )
    return [step(new, "Change", forward, undo, locks=context.lock(new.key))]


def _stored(live: View, new: View, context: Context) -> list[Step]:
    """How the columns of a materialized view are stored and counted."""
    had, wanted = ({(name, option): value for name, option, value in each.stored} for each in (live, new))
    types = dict(zip(new.columns, new.types, strict=True))
    differ = [each for each in {**had, **wanted} if had.get(each) != wanted.get(each) and each[0] in types]
    if not differ:
        return []
    usual = {"STATISTICS": "-1", "COMPRESSION": "default"}
    forward, undo = (
        [
            creation.view_column(
                new, name, f"SET {option} {side.get((name, option)) or usual.get(option) or casts.storage(types[name])}"
            )
            for name, option in differ
        ]
        for side in (wanted, had)
    )
    return [step(new, "Change", forward, undo, locks=context.lock(new.key))]


def _column_comments(live: View, new: View) -> list[Step]:
    had, wanted = ({one[0]: one[1] for one in each.column_comments} for each in (live, new))
    if had == wanted:
        return []
    differ = [name for name in {**had, **wanted} if had.get(name) != wanted.get(name)]
    forward, undo = (
        [definition.view_column_comment(new, name, said.get(name)) for name in differ if name in side.columns]
        for said, side in ((wanted, new), (had, live))
    )
    lock = {qualified(new.schema, new.name): Lock.SHARE_UPDATE_EXCLUSIVE}
    return [step(new, "Comment on columns of", forward, undo, locks=lock)]
