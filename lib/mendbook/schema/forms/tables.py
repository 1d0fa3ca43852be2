"""Tables: created whole, changed in place, dropped with all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Set

from mendbook.schema import creation, definition
from mendbook.schema.claims import circular, is_apart
from mendbook.schema.definition import alter_table
from mendbook.schema.drift import Difference
from mendbook.schema.forms import columns, sequences
from mendbook.schema.forms.context import Context, belonging, comments, step
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step


def create(new: Object, context: Context) -> list[Step]:
    """Create a table with its columns, indexes and those constraints that need no other table.

    A partition is made on its own and then attached: that takes a weaker lock on the table that is partitioned.
    """
    assert isinstance(new, Table)  # noqa: S101  by key
    attached = new._replace(parents=[], partition_bound=None) if new.partition_bound else new
    moved = {each.key for each in context.desired.sequences.get(new.key.owner, ()) if sequences.moves(each, context)}
    forward = list(_whole(attached, context.desired, moved))
    made = step(
        new,
        "Create",
        forward,
        definition.drop(new),
        locks={} if new.partition_bound else _above(new, Lock.SHARE_UPDATE_EXCLUSIVE, context),
        undo_loses=f"every row written to {qualified(new.schema, new.name)} since",
    )
    return [made, *(_attach(new, context) if new.partition_bound else [])]


def _whole(item: Table, side: Snapshot, apart: Set[Key]) -> Iterator[str]:
    """The statements that make a table of *side*, save what is *apart*, or has to wait for others to be there."""
    parts = belonging(item, side)
    held = [_as_said(each, item, side) for each in parts if isinstance(each, Column)]
    partition = not item.parents and any(not each.local for each in held)
    owned = [each for each in side.sequences.get((item.schema, item.name), ()) if each.key not in apart]
    for sequence in owned:
        yield from creation.create(sequence)
    plain = [each._replace(identity="", sequence=None) for each in held] if partition else held
    yield creation.table(item, plain)
    yield from definition.comments(item)
    for part in parts:
        if part.key in apart or circular(part, side):
            continue
        if isinstance(part, Constraint) and part.kind != "f" and (part.local or (partition and part.kind in "cpux")):
            yield from creation.create(part)
        if isinstance(part, Index) and covers(item, part, side):
            yield from creation.create(part)
        if isinstance(part, Column):
            yield from (*_apart(part, item, side), *creation.column_state(part), *definition.comments(part))
    yield from map(creation.own_sequence, owned)
    yield from creation.table_state(item)


def _as_said(part: Column, item: Table, side: Snapshot) -> Column:
    """The column as CREATE TABLE says it: without an inherited NOT NULL, with its name where others have it."""
    if part.not_null and part.required is None and any(each.not_null for each in _inherited(part, item, side)):
        return part._replace(not_null=False)
    usual = definition.usual_not_null(part)
    taken = part.not_null and part.required is None and usual in side.required
    return part._replace(required=usual) if taken else part


def _inherited(part: Column, item: Table, side: Snapshot) -> list[Column]:
    """The same column of the tables that a table inherits from."""
    above = [Key("column", *side.by_name[each].key.owner, part.name) for each in item.parents if each in side.by_name]
    return [each for each in map(side.objects.get, above) if isinstance(each, Column)]


def _apart(part: Column, item: Table, side: Snapshot) -> Iterator[str]:
    """What an inherited column has of its own: a default, and its NOT NULL."""
    inherited = _inherited(part, item, side)
    if part.local or not inherited:
        return
    if part.default != inherited[0].default and not part.generated:
        yield columns.say_default(part)
    if part.not_null and (part.required or not any(each.not_null for each in inherited)):
        yield alter_table(part, f"ADD {columns.say_required(part)}")


def covers(item: Table, part: Object, side: Snapshot) -> bool:
    """Whether creating the table makes *part* as well."""
    if circular(part, side):
        return False
    match part:
        case Index():
            # One that partitions lack would come to them when they are attached.
            return (part.valid or item.kind != "p") and not is_apart(part, side)
        case Column():
            return True
        case Constraint():
            return part.kind != "f" or not part.local
        case Sequence():
            return (part.owner_schema, part.owner_table) == (item.schema, item.name)
    return False


def _above(new: Table, lock: Lock, context: Context) -> dict[str, Lock]:
    """What is inherited from is locked."""
    return {parent: lock for parent in new.parents if context.exists(parent)}


def _attach(new: Table, context: Context) -> list[Step]:
    """Make a table a partition: the one that is partitioned can be read and written meanwhile."""
    detach = f"ALTER TABLE {new.parents[0]} DETACH PARTITION {qualified(new.schema, new.name)}"
    return [
        Step(
            title=f"Attach {new.key}",
            forward=(_attached(new),),
            undo=(detach,),
            locks={**_beside(new, context), **context.lock(new.key)},
            scans=tuple(context.family(new.key)),
        )
    ]


def _attached(item: Table) -> str:
    return f"ALTER TABLE {item.parents[0]} ATTACH PARTITION {qualified(item.schema, item.name)} {item.partition_bound}"


def _beside(new: Table, context: Context) -> dict[str, Lock]:
    """Attaching locks the parent, a default partition, whose rows may belong to the new one, and foreign tables."""
    parent = new.parents[0]
    if not context.exists(parent):
        return {}
    siblings = context.live.children.get(parent, ())
    default = [each for each in siblings if context.live.by_name[each].partition_bound == "DEFAULT"]
    locks = {parent: Lock.SHARE_UPDATE_EXCLUSIVE}
    for name in default:
        locks |= dict.fromkeys([name, *context.descendants(name)], Lock.ACCESS_EXCLUSIVE)
    for part in context.live.by_owner[context.live.by_name[parent].key.owner]:
        if isinstance(part, Constraint) and part.references and context.exists(part.references):
            locks.setdefault(part.references, Lock.SHARE_ROW_EXCLUSIVE)
    for each in context.live.foreign_keys.get(parent, ()):
        locks.setdefault(qualified(each.schema, each.table), Lock.SHARE_ROW_EXCLUSIVE)
    return locks


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a table with all that belongs to it."""
    assert isinstance(old, Table)  # noqa: S101  by key
    keys = (each for each in belonging(old, context.live) if isinstance(each, Constraint) and each.references)
    pointed = [name for each in keys for name in (each.references or "", *context.descendants(each.references or ""))]
    pointed = list(filter(context.exists, pointed))
    above = [*old.parents, *_beside(old, context)] if old.partition_bound else old.parents
    locks = dict.fromkeys([*context.family(old.key), *pointed, *filter(context.exists, above)], Lock.ACCESS_EXCLUSIVE)
    # Foreign keys that point to the partitioned table hold on to its partitions.
    detach = list(_detach(old, context).forward) if old.partition_bound else []
    rows = "" if old.kind == "f" else f"every row of {qualified(old.schema, old.name)}"
    forward = [*detach, *definition.drop(old)]
    return [step(old, "Drop", forward, list(_rebuilt(old, context)), locks=locks, loses=rows)]


def _rebuilt(item: Table, context: Context) -> Iterator[str]:
    """Every statement that makes a table as it is live, with all that is dropped with it."""
    attached = item._replace(parents=[], partition_bound=None) if item.partition_bound else item
    moved = {each.key for each in context.live.sequences.get(item.key.owner, ()) if sequences.moves(each, context)}
    yield from _whole(attached, context.live, context.apart | moved)
    if item.partition_bound:
        yield _attached(item)
    for part in belonging(item, context.live):
        if part.key not in context.apart and not covers(item, part, context.live):
            yield from creation.create(part)


# ---- changes

_IN_PLACE = {
    *("persistence", "options", "row_security", "force_row_security", "replica_identity", "clustered", "method"),
    *("partition_bound", "parents", "foreign", "row_type", "comment"),
}


def recreates(item: Difference, context: Context) -> bool:
    """Whether the table can only be dropped and created again."""
    return not set(item.fields) <= _IN_PLACE


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, _ = item.both
    return f"every row of {qualified(*live.key.owner)}" if recreates(item, context) else ""


def change(item: Difference, context: Context) -> list[Step]:
    """Change a table in place."""
    live, new = item.both
    assert isinstance(live, Table)  # noqa: S101  by key
    assert isinstance(new, Table)  # noqa: S101  by key
    made = [*_inherit(live, new, context)]
    if live.method != new.method:
        made.append(_both(live, new, lambda one: f"SET ACCESS METHOD {one.method}", context))
    if live.persistence != new.persistence:
        made.append(_both(live, new, lambda one: f"SET {'UNLOGGED' if one.persistence == 'u' else 'LOGGED'}", context))
    if live.options != new.options:
        made.append(_options(live, new, context))
    forward, undo = list(_state(live, new)), list(_state(new, live))
    undo += [_typed(live)] if live.row_type and not new.row_type else []
    if forward:
        made.append(step(new, "Change", forward, undo, locks={qualified(new.schema, new.name): Lock.ACCESS_EXCLUSIVE}))
    return [*made, *comments(item, context)]


def settle(item: Difference, context: Context) -> list[Step]:
    """What has to wait for its columns and indexes: to become a partition, and what names an index."""
    live, new = item.both
    assert isinstance(live, Table)  # noqa: S101  by key
    assert isinstance(new, Table)  # noqa: S101  by key
    forward = [*_named(live, new), *([_typed(new)] if new.row_type and new.row_type != live.row_type else [])]
    undo = [*_named(new, live), *([_typed(live)] if new.row_type and new.row_type != live.row_type else [])]
    lock = {qualified(new.schema, new.name): Lock.ACCESS_EXCLUSIVE}
    attached = new.partition_bound and new.partition_bound != live.partition_bound
    named = [step(new, "Change", forward, undo, locks=lock)] if forward else []
    return [*(_attach(new, context) if attached else []), *named]


def without_index(item: Table | View, name: str) -> Table | View:
    """What a table or materialized view says once the index of that name has gone."""
    clustered = None if item.clustered == name else item.clustered
    if isinstance(item, View):
        return item._replace(clustered=clustered)
    identity = "nothing" if item.replica_identity == f"index {name}" else item.replica_identity
    return item._replace(replica_identity=identity, clustered=clustered)


def detaches(item: Difference) -> bool:
    """Whether a table is a partition that has to leave its place."""
    live, new = item.both
    assert isinstance(live, Table)  # noqa: S101  by key
    assert isinstance(new, Table)  # noqa: S101  by key
    return bool(live.partition_bound) and (live.parents, live.partition_bound) != (new.parents, new.partition_bound)


def loosen(old: Object, context: Context) -> list[Step]:
    """Detach a partition: its place may be another's; let a table be of no type that changes."""
    assert isinstance(old, Table)  # noqa: S101  by key
    if old.row_type:
        return [step(old, "Change", [_typed(loosened(old))], [_typed(old)], locks=context.lock(old.key))]
    return [_detach(old, context)]


def loosened(old: Table) -> Table:
    """What `loosen` leaves of a table."""
    return old._replace(parents=[], partition_bound=None, row_type=None)


def _both(live: Table, new: Table, say: object, context: Context) -> Step:
    assert callable(say)  # noqa: S101  a function of this module
    forward, undo = (alter_table(each, say(each)) for each in (new, live))
    name = qualified(new.schema, new.name)
    return step(new, "Change", [forward], [undo], locks={name: Lock.ACCESS_EXCLUSIVE}, rewrites=(name,))


def _options(live: Table, new: Table, context: Context) -> Step:
    """Storage parameters count for what is written from now on."""
    weak = all(
        each.partition(".")[2].startswith("autovacuum") or each.split("=")[0] in _WEAK or each.startswith("autovacuum")
        for each in {*live.options} ^ {*new.options}
    )
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if weak else Lock.ACCESS_EXCLUSIVE
    forward, undo = list(_set(live, new)), list(_set(new, live))
    return step(new, "Change", forward, undo, locks={qualified(new.schema, new.name): lock})


# Manual, ALTER TABLE, SET ( storage_parameter ): these take no more than SHARE UPDATE EXCLUSIVE.
_WEAK = (
    "fillfactor",
    "toast_tuple_target",
    "parallel_workers",
    "vacuum_index_cleanup",
    "vacuum_truncate",
    "log_autovacuum_min_duration",
)


def _set(old: Table, new: Table) -> Iterator[str]:
    wanted = {each.partition("=")[0] for each in new.options}
    gone = [name for each in old.options if (name := each.partition("=")[0]) not in wanted]
    if gone:
        yield alter_table(new, f"RESET ({', '.join(gone)})")
    fresh = [each for each in new.options if each not in old.options]
    if fresh:
        yield alter_table(new, f"SET ({', '.join(fresh)})")


def _state(old: Table, new: Table) -> Iterator[str]:
    if old.row_security != new.row_security:
        yield alter_table(new, f"{'ENABLE' if new.row_security else 'DISABLE'} ROW LEVEL SECURITY")
    if old.force_row_security != new.force_row_security:
        yield alter_table(new, f"{'' if new.force_row_security else 'NO '}FORCE ROW LEVEL SECURITY")
    options = creation.change_options(old.foreign, new.foreign)
    if options:
        yield alter_table(new, options)
    if old.row_type and not new.row_type:
        yield _typed(new)


def _typed(item: Table) -> str:
    return alter_table(item, f"OF {item.row_type}" if item.row_type else "NOT OF")


def _named(old: Table, new: Table) -> Iterator[str]:
    if old.replica_identity != new.replica_identity:
        yield creation.replica_identity(new)
    if old.clustered != new.clustered:
        yield creation.cluster(new)


def _inherit(live: Table, new: Table, context: Context) -> list[Step]:
    """Detach from what it is no longer part of, attach to what it is part of now."""
    if (live.parents, live.partition_bound) == (new.parents, new.partition_bound):
        return []
    made = []
    lock = context.lock(new.key)
    for parent in live.parents:
        if parent not in new.parents or new.partition_bound:
            forward, undo = (alter_table(new, f"{word}INHERIT {parent}") for word in ("NO ", ""))
            locks = {**lock, parent: Lock.SHARE_UPDATE_EXCLUSIVE}
            kept = f"nothing: the columns of {new.key} stay its own"
            made.append(step(new, "Change", [forward], [undo], locks=locks, undo_loses=kept))
    for parent in new.parents if not new.partition_bound else ():
        if parent not in live.parents:
            forward, undo = (alter_table(new, f"{word}INHERIT {parent}") for word in ("", "NO "))
            made.append(step(new, "Change", [forward], [undo], locks={**lock, parent: Lock.SHARE_UPDATE_EXCLUSIVE}))
    return made


def _detach(live: Table, context: Context) -> Step:
    name = qualified(live.schema, live.name)
    parent = live.parents[0]
    return Step(
        title=f"Detach {live.key}",
        forward=(f"ALTER TABLE {parent} DETACH PARTITION {name}",),
        undo=(f"ALTER TABLE {parent} ATTACH PARTITION {name} {live.partition_bound}",),
        locks=dict.fromkeys([parent, *context.family(live.key), *_beside(live, context)], Lock.ACCESS_EXCLUSIVE),
    )
