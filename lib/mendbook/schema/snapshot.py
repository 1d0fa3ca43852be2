"""A Snapshot: the schema of one database, in PostgreSQL's own definitions, from one consistent read.

Rows are NamedTuples, not dataclasses: a large database has hundreds of thousands of them, and psycopg's tuples
become NamedTuples at a fraction of the cost.
"""

from __future__ import annotations

import gc
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql


class Key(NamedTuple):
    """The name of an object, unique in a database."""

    kind: str  # table, column, constraint, …: the lower-case name of the object's class
    schema: str
    name: str  # for what belongs to a relation, the relation's name
    part: str = ""  # the column's, constraint's, index's, trigger's own name; a function's argument types

    def __str__(self) -> str:
        names = [name for name in (self.schema, self.name) if name]
        if self.kind == "function":
            return f"function {'.'.join(names)}({self.part})"
        return f"{self.kind} {'.'.join([*names, self.part] if self.part else names)}"

    @property
    def owner(self) -> tuple[str, str]:
        """The (schema, name) of the relation, type or function that this object is or belongs to."""
        return self.schema, self.name


class Schema(NamedTuple):
    """A schema."""

    name: str
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("schema", "", self.name)


class Extension(NamedTuple):
    """An installed extension; what belongs to it is not listed on its own."""

    name: str
    schema: str
    version: str

    @property
    def key(self) -> Key:
        return Key("extension", "", self.name)


class Type(NamedTuple):
    """An enum, domain, composite or range type."""

    schema: str
    name: str
    kind: str  # pg_type.typtype: e(num), d(omain), c(omposite), r(ange)
    labels: list[str]  # of an enum, in order
    definition: str | None  # what follows the name in CREATE TYPE or CREATE DOMAIN, enums aside
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("type", self.schema, self.name)


class Sequence(NamedTuple):
    """A sequence; those of identity columns belong to the column."""

    schema: str
    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    owner_schema: str | None
    owner_table: str | None
    owner_column: str | None
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("sequence", self.schema, self.name)


class Table(NamedTuple):
    """A table, partitioned table or foreign table, without its columns."""

    schema: str
    name: str
    kind: str  # pg_class.relkind: r, p, f
    persistence: str  # p(ermanent), u(nlogged)
    partition_key: str | None
    partition_bound: str | None
    parents: list[str]  # qualified and quoted: the partitioned table, or what it inherits from
    options: list[str]  # storage parameters
    row_security: bool
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("table", self.schema, self.name)


class Column(NamedTuple):
    """A column of a table."""

    schema: str
    table: str
    name: str
    type: str  # format_type()
    not_null: bool
    default: str | None  # the generation expression where `generated` is set
    identity: str  # "", a(lways), d(efault)
    generated: str  # "", s(tored), v(irtual)
    collation: str | None  # where it is not the type's own
    local: bool  # defined here, not only inherited
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("column", self.schema, self.table, self.name)


class Constraint(NamedTuple):
    """A table constraint; NOT NULL is the column's."""

    schema: str
    table: str
    name: str
    kind: str  # pg_constraint.contype: c(heck), f(oreign key), p(rimary key), u(nique), x (exclusion)
    definition: str  # pg_get_constraintdef()
    validated: bool
    references: str | None  # of a foreign key: the other table, qualified and quoted
    local: bool
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("constraint", self.schema, self.table, self.name)


class Index(NamedTuple):
    """An index that backs no constraint."""

    schema: str
    table: str
    name: str
    definition: str  # pg_get_indexdef()
    valid: bool
    unique: bool
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("index", self.schema, self.table, self.name)


class View(NamedTuple):
    """A view or materialized view."""

    schema: str
    name: str
    kind: str  # pg_class.relkind: v, m
    definition: str  # pg_get_viewdef()
    options: list[str]
    columns: list[str]
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("view", self.schema, self.name)


class Function(NamedTuple):
    """A function or procedure."""

    schema: str
    name: str
    arguments: str  # pg_get_function_identity_arguments()
    kind: str  # pg_proc.prokind: f, p, w
    definition: str  # pg_get_functiondef()
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("function", self.schema, self.name, self.arguments)


class Trigger(NamedTuple):
    """A trigger that a user made."""

    schema: str
    table: str
    name: str
    definition: str  # pg_get_triggerdef()
    enabled: str  # pg_trigger.tgenabled: O, D, R, A
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("trigger", self.schema, self.table, self.name)


Object = Schema | Extension | Type | Sequence | Table | Column | Constraint | Index | View | Function | Trigger

# The queries of catalog.sql and the class of their rows, in an order in which objects can be created.
CLASSES: Mapping[str, Callable[[Iterable[Any]], Object]] = {
    "schemas": Schema._make,
    "extensions": Extension._make,
    "types": Type._make,
    "sequences": Sequence._make,
    "tables": Table._make,
    "columns": Column._make,
    "constraints": Constraint._make,
    "indexes": Index._make,
    "functions": Function._make,
    "views": View._make,
    "triggers": Trigger._make,
}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The schema of one database at one moment."""

    objects: Mapping[Key, Object]  # by class; the columns of a table in the order that they have in it

    def __len__(self) -> int:
        return len(self.objects)

    @cached_property
    def by_owner(self) -> Mapping[tuple[str, str], tuple[Object, ...]]:
        """Objects by the (schema, name) of the relation, type or function they are or belong to."""
        grouped: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for key, item in self.objects.items():
            grouped[key.owner].append(item)
        return {owner: tuple(items) for owner, items in grouped.items()}

    def columns(self, schema: str, table: str) -> tuple[Column, ...]:
        """The columns of a table, in order; empty where there is no such table."""
        return tuple(item for item in self.by_owner.get((schema, table), ()) if isinstance(item, Column))

    def tables(self) -> Iterator[Table]:
        """Every table."""
        return (item for item in self.objects.values() if isinstance(item, Table))

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """A short hash of each relation, type, function or schema with all that belongs to it, by its name.

        The order of columns does not count: a column that was dropped and added again stands at the end.
        """
        return {
            json.dumps(owner, ensure_ascii=False): _digest(sorted(map(_canonical, items)))[:16]
            for owner, items in sorted(self.by_owner.items())
        }

    def fingerprint(self) -> str:
        """SHA-256 over the whole schema, in hexadecimal: equal exactly where the schemas are equal."""
        return _digest(f"{name} {value}" for name, value in self.parts.items())


EMPTY = Snapshot(objects={})


def read(conn: psycopg.Connection[Any]) -> Snapshot:
    """Read the schema through *conn*, inside the transaction that is open there (`Target.reading`)."""
    before = conn.execute(_SETTINGS, ["", _MEMORY]).fetchone()
    objects: dict[Key, Object] = {}
    with _no_collection():
        for name, make in CLASSES.items():
            objects.update((item.key, item) for item in map(make, conn.execute(_queries()[name]).fetchall()))
    if before:
        conn.execute(_SETTINGS, before[:2])
    return Snapshot(objects=objects)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector: it would look through a large schema again and again, and find nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# Sorting the columns of a large schema must not go to the disk.
_MEMORY = "64MB"
_SETTINGS: LiteralString = """
SELECT current_setting('search_path'), current_setting('work_mem'),
       set_config('search_path', %s, true), set_config('work_mem', %s, true)
"""


@cache
def _queries() -> dict[str, str]:
    text = resources.files("mendbook.schema").joinpath("catalog.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _canonical(item: Object) -> str:
    return json.dumps([item.key.kind, *item], ensure_ascii=False)


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def qualified(schema: str, name: str) -> str:
    """The quoted, qualified name, as SQL."""
    return sql.Identifier(schema, name).as_string(None)


def to_json(item: Object) -> list[Any]:
    """Return *item* as a JSON array; `from_json` reads it back."""
    return [item.key.kind, *item]


def from_json(value: list[Any]) -> Object:
    """Read back what `to_json` wrote."""
    return _BY_KIND[value[0]](value[1:])


_BY_KIND: Mapping[str, Callable[[Iterable[Any]], Object]] = {
    kind.__name__.lower(): kind._make
    for kind in (Schema, Extension, Type, Sequence, Table, Column, Constraint, Index, View, Function, Trigger)
}
