"""How columns are stored and counted: storage, compression, statistics, options. It counts for rows to come."""

from __future__ import annotations

from collections.abc import Iterator

from mendbook.schema import casts, creation
from mendbook.schema.definition import alter_column
from mendbook.schema.forms.context import Context, altered
from mendbook.schema.locks import Lock
from mendbook.schema.relations import Column
from mendbook.schema.step import Step

_DEFAULT = 16  # the major version since which SET STORAGE DEFAULT is there


def change(live: Column, new: Column, context: Context) -> Iterator[Step]:
    """Change how a column is stored and counted."""
    differ = {name for name in ("storage", "compression") if getattr(live, name) != getattr(new, name)}
    if differ:
        stored, before = (list(_stored(each, differ, context)) for each in (new, live))
        yield altered(new, stored, before, context)
    if live.statistics != new.statistics:
        forward, undo = (
            alter_column(e, f"SET STATISTICS {-1 if e.statistics is None else e.statistics}") for e in (new, live)
        )
        yield altered(new, [forward], [undo], context, Lock.SHARE_UPDATE_EXCLUSIVE)
    if live.foreign != new.foreign:
        forward, undo = (
            alter_column(new, creation.change_options(*sides))
            for sides in ((live.foreign, new.foreign), (new.foreign, live.foreign))
        )
        yield altered(new, [forward], [undo], context)
    if live.options != new.options:
        forward_options = list(_optioned(live, new))
        yield altered(new, forward_options, list(_optioned(new, live)), context, Lock.SHARE_UPDATE_EXCLUSIVE)


def _stored(item: Column, differ: set[str], context: Context) -> Iterator[str]:
    if "storage" in differ:
        usual = "DEFAULT" if context.live.major >= _DEFAULT else casts.storage(item.type)
        yield alter_column(item, f"SET STORAGE {item.storage or usual}")
    if "compression" in differ:
        yield alter_column(item, f"SET COMPRESSION {item.compression or 'default'}")


def _optioned(old: Column, new: Column) -> Iterator[str]:
    gone = [each.partition("=")[0] for each in old.options if each not in new.options]
    if gone:
        yield alter_column(new, f"RESET ({', '.join(gone)})")
    if new.options:
        yield alter_column(new, f"SET ({', '.join(new.options)})")
