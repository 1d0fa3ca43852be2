"""Steps: the lock-safe SQL for each difference, with its undo, the locks it takes and what it loses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from psycopg import sql

from mendbook.errors import Refused
from mendbook.schema import definition
from mendbook.schema.definition import text
from mendbook.schema.drift import Difference, Drift
from mendbook.schema.locks import Lock
from mendbook.schema.snapshot import (
    Column,
    Constraint,
    Index,
    Key,
    Object,
    Sequence,
    Snapshot,
    Table,
    Type,
    qualified,
)


class Transaction(StrEnum):
    """How a step stands to transactions."""

    SHARED = "shared"  # may run in one transaction with its neighbours
    OWN = "own"  # in a transaction of its own: it must not prolong the locks of others
    NONE = "none"  # cannot run in a transaction (CREATE INDEX CONCURRENTLY, …)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change of the database: what runs, what undoes it, and what it costs."""

    title: str  # what it does, in words
    forward: tuple[str, ...]  # SQL statements
    undo: tuple[str, ...]  # SQL statements that take it back, in order
    locks: Mapping[str, Lock] = field(default_factory=dict)  # strongest lock by qualified relation that exists before
    transaction: Transaction = Transaction.SHARED
    rewrites: tuple[str, ...] = ()  # qualified relations whose rows are all written again
    scans: tuple[str, ...] = ()  # qualified relations that are read whole under the lock
    loses: str = ""  # what running it loses for good; empty: nothing
    undo_loses: str = ""  # what undoing it loses for good

    @property
    def lock(self) -> Lock | None:
        """The strongest lock it takes on a relation that exists before; None: none."""
        return max(self.locks.values(), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Context:
    live: Snapshot
    desired: Snapshot

    def is_new(self, schema: str, table: str) -> bool:
        return Key("table", schema, table) not in self.live.objects


def steps(drift: Drift, live: Snapshot, desired: Snapshot) -> tuple[Step, ...]:
    """Return the Steps that make *live* into *desired*, in an order in which they can run.

    What a step rewrites is left to `measure`: only a server knows it for sure. Raises `Refused` for a difference that
    has no Step, by its name.
    """
    context = _Context(live=live, desired=desired)
    made: list[Step] = []
    for rank in _ORDER:
        for item in drift.differences:
            if (item.key.kind, item.verdict) == rank and not _covered(item, context):
                made.extend(_MAKERS[rank](item, context))
    for item in drift.differences:
        if (item.key.kind, item.verdict) not in _MAKERS:
            raise _unplannable(item)
    return tuple(made)


def _unplannable(item: Difference) -> Refused:
    detail = f" ({', '.join(item.fields)})" if item.fields else ""
    return Refused(
        f"{item.key} is {item.verdict}{detail}, and there is no safe step for that yet; nothing was changed. "
        f"Make that change by hand, then diagnose again."
    )


def _covered(item: Difference, context: _Context) -> bool:
    """A new table brings its columns, indexes, sequences, and those constraints that need no other table.

    A partition gets from its parent what is not its own.
    """
    new = item.desired
    match new:
        case Column(local=False) | Constraint(local=False):
            return True  # it comes with the parent's
        case Column() | Index():
            return context.is_new(new.schema, new.table)
        case Constraint():
            return context.is_new(new.schema, new.table) and new.kind != "f"
        case Sequence(owner_schema=str(schema), owner_table=str(table)):
            return context.is_new(schema, table)
    return False


# ---- what is missing


def _create_plain(item: Difference, context: _Context) -> list[Step]:
    new = _desired(item)
    forward = [definition.create(new), *_comments(new)]
    return [Step(title=f"Create {item.key}", forward=tuple(forward), undo=(definition.drop(new),))]


def _create_table(item: Difference, context: _Context) -> list[Step]:
    new = _desired(item)
    assert isinstance(new, Table)  # noqa: S101  by key
    parts = context.desired.by_owner[item.key.owner]
    columns = [each for each in parts if isinstance(each, Column)]
    sequences = _owned_by(context, lambda each: (each.owner_schema, each.owner_table) == item.key.owner)
    forward = [*map(definition.create, sequences), definition.table(new, columns), *_comments(new)]
    for part in parts:
        late = isinstance(part, Constraint) and part.kind == "f"
        if isinstance(part, Constraint | Index) and not late and getattr(part, "local", True):
            forward.append(definition.create(part))
        if isinstance(part, Constraint | Index | Column) and not late:
            forward.extend(_comments(part))
    forward += map(definition.own_sequence, sequences)
    # Attaching a partition to a parent that exists takes a lock on the parent.
    locks = {parent: Lock.ACCESS_EXCLUSIVE for parent in new.parents if _exists(parent, context)}
    return [
        Step(
            title=f"Create {item.key}",
            forward=tuple(forward),
            undo=(definition.drop(new),),
            locks=locks,
            undo_loses=f"every row written to {_name(item.key)} since",
        )
    ]


def _add_column(item: Difference, context: _Context) -> list[Step]:
    new = _desired(item)
    assert isinstance(new, Column)  # noqa: S101  by key
    table = sql.Identifier(new.schema, new.table)
    name = _name(item.key)
    added = text("ALTER TABLE {table} ADD COLUMN {column}", table=table, column=definition.column(new))
    owner = (new.schema, new.table, new.name)
    sequences = _owned_by(context, lambda each: (each.owner_schema, each.owner_table, each.owner_column) == owner)
    return [
        Step(
            title=f"Add {item.key}",
            forward=(added, *map(definition.own_sequence, sequences), *_comments(new)),
            undo=(definition.drop(new),),
            locks=dict.fromkeys([name, *_descendants(name, context)], Lock.ACCESS_EXCLUSIVE),
            undo_loses=f"every value written to {item.key.part} of {name} since",
        )
    ]


def _add_constraint(item: Difference, context: _Context) -> list[Step]:
    new = _desired(item)
    assert isinstance(new, Constraint)  # noqa: S101  by key
    name = _name(item.key)
    others = [new.references] if new.references and _exists(new.references, context) else []
    undo = (definition.drop(new),)
    if context.is_new(new.schema, new.table):
        locks = dict.fromkeys(others, Lock.SHARE_ROW_EXCLUSIVE)
        return [
            Step(title=f"Add {item.key}", forward=(definition.create(new), *_comments(new)), undo=undo, locks=locks)
        ]
    if new.kind in "pu":
        return _unique_using_index(new, item.key, name)
    if new.kind not in "cf":
        raise _unplannable(item)
    lock = Lock.SHARE_ROW_EXCLUSIVE if new.kind == "f" else Lock.ACCESS_EXCLUSIVE
    unchecked = new.definition.removesuffix(" NOT VALID") + " NOT VALID"
    added = Step(
        title=f"Add {item.key}, not yet checked against the rows",
        forward=(definition.add_constraint(new, unchecked), *_comments(new)),
        undo=undo,
        locks={name: lock, **dict.fromkeys(others, lock)},
    )
    if not new.validated:
        return [added]
    return [added, _validate(new, item.key, name, others)]


def _validate(new: Constraint, key: Key, name: str, others: list[str]) -> Step:
    return Step(
        title=f"Check the rows against {key}",
        forward=(
            text(
                "ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
                table=sql.Identifier(new.schema, new.table),
                name=sql.Identifier(new.name),
            ),
        ),
        undo=(),
        locks={**dict.fromkeys(others, Lock.ROW_SHARE), name: Lock.SHARE_UPDATE_EXCLUSIVE},
        transaction=Transaction.OWN,
    )


def _unique_using_index(new: Constraint, key: Key, name: str) -> list[Step]:
    """A unique index is built without blocking writes; taking it over as a constraint only changes the catalog."""
    columns = new.definition.partition("(")[2].rpartition(")")[0]
    plain = new.definition in (f"PRIMARY KEY ({columns})", f"UNIQUE ({columns})")
    if not plain:
        raise Refused(
            f"{key} has options ({new.definition}) that have no step without a long lock; nothing was changed. "
            f"Add that constraint by hand, then diagnose again."
        )
    index, table = sql.Identifier(new.name), sql.Identifier(new.schema, new.table)
    build = text("CREATE UNIQUE INDEX CONCURRENTLY {i} ON {t} ({columns})", i=index, t=table, columns=columns)
    word = "PRIMARY KEY" if new.kind == "p" else "UNIQUE"
    take = text("ALTER TABLE {t} ADD CONSTRAINT {i} {word} USING INDEX {i}", t=table, i=index, word=word)
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {i}", i=sql.Identifier(new.schema, new.name))
    return [
        Step(
            title=f"Build the index of {key}",
            forward=(build,),
            undo=(gone,),
            locks={name: Lock.SHARE_UPDATE_EXCLUSIVE},
            transaction=Transaction.NONE,
        ),
        Step(
            title=f"Take the index over as {key}",
            forward=(take, *_comments(new)),
            undo=(definition.drop(new),),
            locks={name: Lock.ACCESS_EXCLUSIVE},
            scans=(name,) if new.kind == "p" else (),
        ),
    ]


def _create_index(item: Difference, context: _Context) -> list[Step]:
    new = _desired(item)
    assert isinstance(new, Index)  # noqa: S101  by key
    table = context.live.objects.get(Key("table", new.schema, new.table))
    if isinstance(table, Table) and table.kind == "p":
        raise _unplannable(item)  # CREATE INDEX CONCURRENTLY is not for partitioned tables
    name = _name(item.key)
    head, word, rest = new.definition.partition(" INDEX ")
    gone = text("DROP INDEX CONCURRENTLY IF EXISTS {name}", name=sql.Identifier(new.schema, new.name))
    return [
        Step(
            title=f"Create {item.key}",
            forward=(f"{head}{word}CONCURRENTLY {rest}", *_comments(new)),
            undo=(gone,),
            locks={name: Lock.SHARE_UPDATE_EXCLUSIVE},
            transaction=Transaction.NONE,
        )
    ]


def _create_trigger(item: Difference, context: _Context) -> list[Step]:
    [step] = _create_plain(item, context)
    if context.is_new(item.key.schema, item.key.name):
        return [step]
    return [
        Step(
            title=step.title,
            forward=step.forward,
            undo=step.undo,
            locks={_name(item.key): Lock.SHARE_ROW_EXCLUSIVE},
        )
    ]


# ---- what changed


def _change_type(item: Difference, context: _Context) -> list[Step]:
    live, new = item.live, _desired(item)
    assert isinstance(live, Type)  # noqa: S101  by key
    assert isinstance(new, Type)  # noqa: S101  by key
    added = [label for label in new.labels if label not in live.labels]
    kept = [label for label in new.labels if label in live.labels]
    if item.fields != ("labels",) or kept != live.labels:
        raise _unplannable(item)
    name = sql.Identifier(new.schema, new.name)
    made = []
    for label in added:
        before = new.labels[: new.labels.index(label)]
        place = text(" AFTER {label}", label=sql.Literal(before[-1])) if before else _before_first(live)
        forward = text("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}", name=name, label=sql.Literal(label)) + place
        made.append(
            Step(
                title=f"Add the value {label!r} to {item.key}",
                forward=(forward,),
                undo=(),
                transaction=Transaction.NONE,
                undo_loses=f"nothing: PostgreSQL cannot remove the value {label!r} from an enum, so it stays",
            )
        )
    return made


def _before_first(live: Type) -> str:
    return text(" BEFORE {label}", label=sql.Literal(live.labels[0])) if live.labels else ""


def _change_column(item: Difference, context: _Context) -> list[Step]:
    live, new = item.live, _desired(item)
    assert isinstance(live, Column)  # noqa: S101  by key
    assert isinstance(new, Column)  # noqa: S101  by key
    if not set(item.fields) <= {"default", "comment"} or new.generated or live.generated:
        raise _unplannable(item)
    forward, undo = [], []
    if "default" in item.fields:
        forward.append(_set_default(new))
        undo.append(_set_default(live))
    if "comment" in item.fields:
        forward.append(definition.comment(new, new.comment))
        undo.append(definition.comment(live, live.comment))
    locks = {_name(item.key): Lock.ACCESS_EXCLUSIVE if "default" in item.fields else Lock.SHARE_UPDATE_EXCLUSIVE}
    return [Step(title=f"Change {item.key}", forward=tuple(forward), undo=tuple(undo), locks=locks)]


def _set_default(item: Column) -> str:
    table, name = sql.Identifier(item.schema, item.table), sql.Identifier(item.name)
    if item.default is None:
        return text("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT", table=table, name=name)
    return text("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {e}", table=table, name=name, e=item.default)


def _desired(item: Difference) -> Object:
    assert item.desired is not None  # noqa: S101  by verdict
    return item.desired


def _owned_by(context: _Context, wanted: Callable[[Sequence], bool]) -> list[Sequence]:
    return [each for each in context.desired.objects.values() if isinstance(each, Sequence) and wanted(each)]


def _comments(item: Object) -> list[str]:
    said = getattr(item, "comment", None)
    return [definition.comment(item, said)] if said else []


def _name(key: Key) -> str:
    return qualified(key.schema, key.name)


def _descendants(name: str, context: _Context) -> list[str]:
    """The partitions and inheriting tables below a table: ALTER TABLE changes and locks them with it."""
    children = [qualified(each.schema, each.name) for each in context.live.tables() if name in each.parents]
    return [each for child in children for each in (child, *_descendants(child, context))]


def _exists(name: str, context: _Context) -> bool:
    return any(name == qualified(each.schema, each.name) for each in context.live.tables())


_MAKERS: Mapping[tuple[str, str], Callable[[Difference, _Context], list[Step]]] = {
    ("schema", "missing"): _create_plain,
    ("extension", "missing"): _create_plain,
    ("type", "missing"): _create_plain,
    ("type", "changed"): _change_type,
    ("sequence", "missing"): _create_plain,
    ("table", "missing"): _create_table,
    ("column", "missing"): _add_column,
    ("column", "changed"): _change_column,
    ("constraint", "missing"): _add_constraint,
    ("index", "missing"): _create_index,
    ("function", "missing"): _create_plain,
    ("view", "missing"): _create_plain,
    ("trigger", "missing"): _create_trigger,
}
_ORDER = tuple(_MAKERS)
