"""Grants: given and taken back; a column's outlive what is taken back from its whole table."""

from __future__ import annotations

from collections.abc import Iterator

from mendbook.schema import privileges
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, step, unplannable
from mendbook.schema.objects import Grant, Object
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step


def create(new: Object, context: Context) -> list[Step]:
    """Give it."""
    assert isinstance(new, Grant)  # noqa: S101  by key
    return _change("Create", new, new.usual, new.privileges, context)


def drop(old: Object, context: Context) -> list[Step]:
    """Take it back."""
    assert isinstance(old, Grant)  # noqa: S101  by key
    return _change("Drop", old, old.privileges, old.usual, context)


def recreates(item: Difference, context: Context) -> bool:
    """Every change is made in place."""
    return False


def change(item: Difference, context: Context) -> list[Step]:
    """Give what is new, take back what is not."""
    live, new = item.both
    assert isinstance(live, Grant)  # noqa: S101  by key
    assert isinstance(new, Grant)  # noqa: S101  by key
    if live.privileges == new.privileges:
        raise unplannable(item)
    return _change("Change", new, live.privileges, new.privileges, context)


def _change(verb: str, item: Grant, before: list[str], after: list[str], context: Context) -> list[Step]:
    forward = [*privileges.change(item, before, after), *_kept(item, before, after, context.desired, context.live)]
    undo = [*privileges.change(item, after, before), *_kept(item, after, before, context.live, context.live)]
    return [step(item, verb, forward, undo)]


def _kept(item: Grant, before: list[str], after: list[str], wanted: Snapshot, had: Snapshot) -> Iterator[str]:
    """What is taken back from a table is taken back from its columns as well: what was theirs is given again."""
    gone = {each.rstrip("*") for each in before} - {each.rstrip("*") for each in after}
    for part in wanted.by_owner.get(item.key.owner, ()) if item.object == "TABLE" and gone else ():
        was = had.objects.get(part.key)
        theirs = isinstance(part, Grant) and (part.object, part.grantee) == ("COLUMN", item.grantee)
        if theirs and isinstance(part, Grant) and isinstance(was, Grant):
            both = [each for each in part.privileges if each in was.privileges and each.rstrip("*") in gone]
            yield from privileges.change(part, [], both)
