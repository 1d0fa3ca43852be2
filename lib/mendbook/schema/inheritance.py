"""What a change of a table does to the tables below it, so that it is not done to them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mendbook.schema import definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Object
from mendbook.schema.relations import Column, Constraint, Index, Table

# What ALTER TABLE … ALTER COLUMN changes in the tables below as well: ATPrepCmd() of PostgreSQL's source,
# src/backend/commands/tablecmds.c.
_RECURSIVE = ("type", "not_null", "required", "generated", "collation", "storage", "statistics")


def predict(differences: Mapping[Key, Difference], context: Context) -> dict[Key, Difference]:
    """*differences*, with what comes about by itself left out, and with what has to be taken back added."""
    found = dict(differences)
    for item in list(differences.values()):
        if isinstance(item.desired, Table) and item.verdict == "changed":
            _attached(item, found, context)
            _logged(item, found, context)
    for item in list(found.values()):
        if item.verdict == "missing":
            _renamed(item, found, context)
        if isinstance(item.desired, Constraint) and item.verdict == "changed":
            _adopted(item, found, context)
    for item in list(differences.values()):
        if isinstance(item.desired, Index) and item.fields == ("valid",) and item.desired.valid:
            table = context.table(item.key)
            if table and table.kind == "p":
                del found[item.key]  # it is valid once those of all partitions are part of it
        if isinstance(item.desired, Column) and item.verdict == "changed":
            for below in _below(item.key, context):
                _inherited(item, below, found, context)
    return found


def _attached(item: Difference, found: dict[Key, Difference], context: Context) -> None:
    """The columns and checks of a partition are its parent's; those of a table that is detached are its own."""
    live, new = item.both
    assert isinstance(live, Table)  # noqa: S101  by key
    assert isinstance(new, Table)  # noqa: S101  by key
    if (live.parents, live.partition_bound) == (new.parents, new.partition_bound):
        return
    for part in context.live.by_owner[item.key.owner]:
        difference = found.get(part.key)
        if isinstance(part, Column | Constraint) and difference and isinstance(difference.desired, type(part)):
            gains = part.local and new.partition_bound is not None
            loses = not part.local and not new.parents
            if gains or loses:
                _replace(found, part.key, _like(part, difference.desired, context.live.major), context)
        if isinstance(part, Constraint) and part.parent and difference and difference.desired is None:
            found[part.key] = Difference(key=part.key, live=part._replace(parent=None, local=True), desired=None)
        if isinstance(part, Index) and difference and (part.parent or new.partition_bound):
            if isinstance(difference.desired, Index):
                _replace(found, part.key, part._replace(parent=difference.desired.parent), context)
            else:
                found[part.key] = Difference(key=part.key, live=part._replace(parent=None), desired=None)


def _like(part: Column | Constraint, desired: Object | None, major: int) -> Column | Constraint:
    """A part that has become its table's own, or its parent's, as *desired* is."""
    if isinstance(part, Constraint) and isinstance(desired, Constraint):
        return part._replace(local=desired.local, parent=desired.parent)
    if isinstance(part, Column) and isinstance(desired, Column):
        counted = desired if major >= _COUNTED else part
        return part._replace(local=desired.local, identity=counted.identity, sequence=counted.sequence)
    return part


_COUNTED = 17  # the major version since which partitions have the identity columns of the table above


def _adopted(item: Difference, found: dict[Key, Difference], context: Context) -> None:
    """A new key of a partitioned table takes over those of its partitions."""
    live, new = item.both
    if isinstance(live, Constraint) and isinstance(new, Constraint) and new.parent and not live.parent:
        parent = context.desired.indexes.get(new.parent)
        if parent is not None and parent.kind == "constraint" and parent not in context.live.objects:
            _replace(found, item.key, live._replace(parent=new.parent, local=new.local), context)


def _renamed(item: Difference, found: dict[Key, Difference], context: Context) -> None:
    """The index or key of a partition cannot leave that of the partitioned table: it gets its other name in place."""
    new = item.desired
    if not isinstance(new, Index | Constraint) or not new.parent:
        return
    parent = context.desired.indexes.get(new.parent)
    if parent is None or parent in found or parent not in context.live.objects:
        return
    for old in context.live.by_owner.get(item.key.owner, ()):
        known = found.get(old.key)
        extra = known is not None and known.desired is None
        if extra and isinstance(old, Index | Constraint) and old.parent == new.parent and _is_alike(old, new):
            del found[old.key]
            context.renamed[item.key] = old
            return


def _is_alike(old: Index | Constraint, new: Index | Constraint) -> bool:
    """Whether two indexes or keys of a table differ in their names alone."""
    had, wanted = (each.definition.partition(" ON ")[2] or each.definition for each in (old, new))
    return old.key.kind == new.key.kind and had == wanted


def _logged(item: Difference, found: dict[Key, Difference], context: Context) -> None:
    """The sequences that a table owns are logged as it is."""
    for each in context.live.sequences.get(item.key.owner, ()):
        if "persistence" in item.fields and context.live.major >= _SEQUENCES and each.key in context.desired.objects:
            _replace(found, each.key, each._replace(persistence=getattr(item.desired, "persistence", "p")), context)


_SEQUENCES = 15  # the major version since which sequences are logged or not


def _below(key: Key, context: Context) -> Iterator[Key]:
    """The same column of the tables below, those next to it first."""
    table = context.table(key)
    for name in context.descendants(qualified(*key.owner)) if table else ():
        child = context.live.by_name[name]
        yield Key("column", child.schema, child.name, key.part)


def _inherited(above: Difference, below: Key, found: dict[Key, Difference], context: Context) -> None:
    known = found.get(below)
    live = known.live if known else context.live.objects.get(below)
    if not isinstance(live, Column) or below not in context.desired.objects or _leaves(below, context):
        return
    changes = {name: getattr(above.desired, name) for name in above.fields if name in _RECURSIVE}
    if "type" in changes or "generated" in changes:
        changes["default"] = getattr(above.desired, "default", None)  # it is set again with the type
    if changes.get("not_null") and is_required_first(below, above.key, context.live.objects, context.desired.objects):
        changes = {name: value for name, value in changes.items() if name not in ("not_null", "required")}
    if "not_null" in changes:
        table = context.table(below)
        named = changes["not_null"] and context.live.major >= NAMED and table is not None and table.partition_bound
        changes["required"] = _required(above.desired, live) if named else None
    _replace(found, below, live._replace(**changes), context)


NAMED = 18  # the major version since which NOT NULL has a name


def _leaves(key: Key, context: Context) -> bool:
    """Whether a table no longer inherits from the same tables: its columns are its own before those above change."""
    live, new = (side.objects.get(Key("table", *key.owner)) for side in (context.live, context.desired))
    if not isinstance(live, Table) or not isinstance(new, Table) or live.partition_bound:
        return False
    return live.parents != new.parents


def is_required_first(below: Key, above: Key, live: Mapping[Key, Object], desired: Mapping[Key, Object]) -> bool:
    """Whether a column gets its NOT NULL before that of the table above, for it has another name than that gives."""
    had, inherited = live.get(below), live.get(above)
    wanted, given = desired.get(below), desired.get(above)
    if not isinstance(wanted, Column) or not isinstance(given, Column) or not wanted.not_null or not given.not_null:
        return False
    if not isinstance(had, Column) or not isinstance(inherited, Column) or inherited.not_null:
        return False
    table = desired.get(Key("table", *below.owner))
    partition = isinstance(table, Table) and table.partition_bound
    return had.not_null or wanted.required != (_required(given, wanted) if partition else None)


def is_named_apart(below: Object | None, above: Column) -> bool:
    """Whether the NOT NULL of a column has another name than that of the table above gives."""
    return isinstance(below, Column) and below.not_null and below.required != _required(above, below)


def _required(above: Object | None, below: Column) -> str | None:
    """How the NOT NULL of a column is said that got it from the table above, by its name there."""
    assert isinstance(above, Column)  # noqa: S101  by key
    said = above.required or definition.usual_not_null(above)
    return None if said == definition.usual_not_null(below) else said


def _replace(found: dict[Key, Difference], key: Key, live: Object, context: Context) -> None:
    """State what *key* will be like before its own change."""
    desired = context.desired.objects[key]
    if live == desired:
        found.pop(key, None)
    else:
        found[key] = Difference(key=key, live=live, desired=desired)
