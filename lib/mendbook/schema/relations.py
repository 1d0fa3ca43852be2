"""Tables and views, and what belongs to them: one class for each kind, in PostgreSQL's own words and definitions.

Rows are NamedTuples, not dataclasses: a large database has hundreds of thousands of them, and psycopg's tuples
become NamedTuples at a fraction of the cost.
"""

from __future__ import annotations

from typing import NamedTuple

from mendbook.schema.key import Key


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
    server: str | None  # of a foreign table
    foreign: list[list[str]]  # [option, value] of a foreign table
    row_type: str | None  # of a typed table: the composite type that its rows are of
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
    required: str | None  # how NOT NULL is said, where its name is not the usual or it is not inherited or not valid
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
    foreign: list[list[str]]  # [option, value] of a foreign table's column
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
    parent: str | None  # of a partition's key: the index of the partitioned table, qualified and quoted
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
    statistics: list[list[int]]  # [number of an expression's column, target] of those that have one
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
    defaults: list[list[str]]  # [column, default] of those that have one
    column_comments: list[list[str]]  # [column, comment] of those that have one
    method: str  # table access method of a materialized view
    stored: list[list[str]]  # [column, STORAGE, STATISTICS or COMPRESSION, value] of those that have an unusual one
    clustered: str | None  # the index that CLUSTER uses
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("view", self.schema, self.name)


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


# What belongs to a relation, and comes and goes with it.
Part = Column | Constraint | Index | Trigger | Rule | Policy | Statistics
