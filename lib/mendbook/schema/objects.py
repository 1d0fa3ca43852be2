"""The objects of a schema: one class for each kind, its fields in PostgreSQL's own words and definitions.

Rows are NamedTuples, not dataclasses: a large database has hundreds of thousands of them, and psycopg's tuples
become NamedTuples at a fraction of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

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
        if self.kind == "grant":
            return f"grant on {'.'.join(names)} {self.part}".replace(" TO ", " to ", 1)
        return f"{self.kind} {'.'.join([*names, self.part] if self.part else names)}".strip()

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


class Collation(NamedTuple):
    """A collation that a user made."""

    schema: str
    name: str
    definition: str  # what stands in the parentheses of CREATE COLLATION
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("collation", self.schema, self.name)


class Type(NamedTuple):
    """An enum, domain, composite or range type."""

    schema: str
    name: str
    kind: str  # pg_type.typtype: e(num), d(omain), c(omposite), r(ange)
    labels: list[str]  # of an enum, in order
    definition: str | None  # of a domain, the type it is over; of a range, what stands in its parentheses
    attributes: list[list[str]]  # of a composite: [name, type with its collation]
    default: str | None  # of a domain
    not_null: bool  # of a domain
    checks: list[list[str]]  # of a domain: [name, pg_get_constraintdef()]
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


class Server(NamedTuple):
    """A foreign server; user mappings, which hold passwords, are not read."""

    name: str
    definition: str  # what follows the name in CREATE SERVER
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("server", "", self.name)


class Table(NamedTuple):
    """A table, partitioned table or foreign table, without its columns. Its owner and tablespace are not compared."""

    schema: str
    name: str
    kind: str  # pg_class.relkind: r, p, f
    persistence: str  # p(ermanent), u(nlogged)
    partition_key: str | None
    partition_bound: str | None
    parents: list[str]  # qualified and quoted: the partitioned table, or what it inherits from
    options: list[str]  # storage parameters, those of its TOAST table with the prefix toast.
    row_security: bool
    force_row_security: bool
    replica_identity: str  # default, nothing, full, or "index NAME"
    clustered: str | None  # the index that CLUSTER uses
    method: str  # table access method; empty for a partitioned or foreign table without one
    foreign: str | None  # of a foreign table: what follows the columns in CREATE FOREIGN TABLE
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
    sequence: str | None  # of an identity column: its options where they are not the defaults
    storage: str | None  # where it is not the type's own: PLAIN, EXTERNAL, EXTENDED, MAIN
    compression: str | None  # where it is stated: pglz, lz4
    statistics: int | None  # where a target is stated
    options: list[str]  # n_distinct, n_distinct_inherited
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
    parent: str | None  # of a partition's index: the index of the partitioned table, qualified and quoted
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
    types: list[str]  # of the columns, format_type()
    column_comments: list[list[str]]  # [column, comment] of those that have one
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("view", self.schema, self.name)


class Function(NamedTuple):
    """A function, procedure or aggregate."""

    schema: str
    name: str
    arguments: str  # the types of the input arguments, which make it unique
    kind: str  # pg_proc.prokind: f, p, w, a
    signature: str  # pg_get_function_identity_arguments(): with names and modes
    returns: str | None  # pg_get_function_result()
    defaults: int  # how many arguments have one
    definition: str  # pg_get_functiondef(); of an aggregate, CREATE AGGREGATE
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


class Rule(NamedTuple):
    """A rewrite rule that a user made."""

    schema: str
    table: str
    name: str
    definition: str  # pg_get_ruledef()
    enabled: str  # pg_rewrite.ev_enabled: O, D, R, A
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("rule", self.schema, self.table, self.name)


class Policy(NamedTuple):
    """A policy of row security."""

    schema: str
    table: str
    name: str
    command: str  # ALL, SELECT, INSERT, UPDATE, DELETE
    permissive: bool
    roles: list[str]  # empty: PUBLIC
    using: str | None
    check: str | None
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("policy", self.schema, self.table, self.name)


class Statistics(NamedTuple):
    """An extended statistics object."""

    schema: str  # of the table
    table: str
    namespace: str  # of the object itself
    name: str
    definition: str  # pg_get_statisticsobjdef()
    target: int | None  # where one is stated
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("statistics", self.schema, self.table, f"{self.namespace}.{self.name}")


class EventTrigger(NamedTuple):
    """An event trigger."""

    name: str
    event: str
    tags: list[str]
    function: str  # qualified and quoted
    enabled: str  # pg_event_trigger.evtenabled: O, D, R, A
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("event trigger", "", self.name)


class Publication(NamedTuple):
    """A publication of logical replication."""

    name: str
    all_tables: bool
    options: str  # what stands in the parentheses of WITH
    members: list[str]  # TABLE name (columns) WHERE (…), TABLES IN SCHEMA name
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("publication", "", self.name)


class Grant(NamedTuple):
    """What a role may do with an object, where that is not what every new object of the kind allows."""

    object: str  # what GRANT calls it: TABLE, SEQUENCE, SCHEMA, FUNCTION, PROCEDURE, TYPE, DOMAIN, COLUMN
    schema: str
    name: str
    part: str  # a column's name, a function's argument types
    grantee: str  # a role; empty: PUBLIC
    privileges: list[str]  # each followed by * where it may be granted on; empty: the usual ones were revoked
    usual: list[str]  # what every new object of the kind allows this role

    @property
    def key(self) -> Key:
        what = f"{self.object} {self.part}".strip()
        return Key("grant", self.schema, self.name, f"{what} TO {self.grantee or 'PUBLIC'}")


class DefaultPrivilege(NamedTuple):
    """What a role's new objects of a kind allow a role."""

    role: str  # whose new objects
    schema: str  # in which they are made; empty: anywhere
    object: str  # TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS
    grantee: str  # a role; empty: PUBLIC
    privileges: list[str]
    usual: list[str]

    @property
    def key(self) -> Key:
        return Key("default privilege", self.schema, self.role, f"{self.object} TO {self.grantee or 'PUBLIC'}")


class Setting(NamedTuple):
    """A setting for this database, or for a role in it (ALTER DATABASE … SET, ALTER ROLE … IN DATABASE … SET)."""

    role: str  # empty: every role
    name: str
    value: str

    @property
    def key(self) -> Key:
        return Key("setting", "", self.role, self.name)


class Other(NamedTuple):
    """An object of a kind whose definition is not read, such as a cast or an operator: it is named, never changed."""

    kind: str  # as pg_identify_object() says it
    identity: str

    @property
    def key(self) -> Key:
        return Key(self.kind, "", self.identity)


Object = (
    Schema
    | Extension
    | Collation
    | Type
    | Sequence
    | Server
    | Table
    | Column
    | Constraint
    | Index
    | View
    | Function
    | Trigger
    | Rule
    | Policy
    | Statistics
    | EventTrigger
    | Publication
    | Grant
    | DefaultPrivilege
    | Setting
    | Other
)
# What belongs to a relation, and comes and goes with it.
Part = Column | Constraint | Index | Trigger | Rule | Policy | Statistics


def qualified(schema: str, name: str) -> str:
    """The quoted, qualified name, as SQL."""
    return sql.Identifier(schema, name).as_string(None)


def to_json(item: Object) -> list[Any]:
    """Return *item* as a JSON array; `from_json` reads it back."""
    return [type(item).__name__, *item]


def from_json(value: list[Any]) -> Object:
    """Read back what `to_json` wrote."""
    return _BY_NAME[value[0]](value[1:])


_BY_NAME: Mapping[str, Callable[[Iterable[Any]], Object]] = {kind.__name__: kind._make for kind in Object.__args__}
