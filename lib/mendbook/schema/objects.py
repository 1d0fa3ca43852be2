"""The objects of a schema: one class for each kind, and all of them together.

The kinds that have to do with relations stand in `relations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mendbook.schema.key import Key
from mendbook.schema.relations import Column, Constraint, Index, Policy, Rule, Statistics, Table, Trigger, View


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
    comment: str | None

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
    part_comments: list[list[str]]  # [attribute or check, comment] of those that have one
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
    persistence: str  # p(ermanent), u(nlogged)
    owner_schema: str | None
    owner_table: str | None
    owner_column: str | None
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("sequence", self.schema, self.name)

    @property
    def owner(self) -> Key | None:
        """The column that it serves, and goes with."""
        if self.owner_table is None:
            return None
        return Key("column", self.owner_schema or "", self.owner_table, self.owner_column or "")


class Server(NamedTuple):
    """A foreign server; user mappings, which hold passwords, are not read."""

    name: str
    type: str | None
    version: str | None
    wrapper: str
    options: list[list[str]]  # [option, value]
    comment: str | None

    @property
    def key(self) -> Key:
        return Key("server", "", self.name)


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

    object: str  # as GRANT calls it: TABLE, COLUMN, SEQUENCE, SCHEMA, ROUTINE, TYPE, DOMAIN, FOREIGN SERVER
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


class Custom(NamedTuple):
    """What extends SQL itself: a cast, an operator, a text search configuration, a language and the like."""

    kind: str  # as pg_identify_object() says it
    schema: str  # empty where it is in none
    name: str  # without the schema; of an operator with its types, of an operator class with its access method
    identity: str  # by which it is dropped, altered and commented
    definition: str  # the statement that makes it, without its parts
    parts: list[list[str]]  # changed one by one: [option, value], [token, dictionaries], [member, with what it is]
    comment: str | None

    @property
    def key(self) -> Key:
        return Key(self.kind, self.schema, self.name)


class Other(NamedTuple):
    """An object of a kind whose definition is not read, such as a user mapping: it is named, never changed."""

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
    | Custom
    | Other
)


def to_json(item: Object) -> list[Any]:
    """Return *item* as a JSON array; `from_json` reads it back."""
    return [type(item).__name__, *item]


def from_json(value: list[Any]) -> Object:
    """Read back what `to_json` wrote."""
    return _BY_NAME[value[0]](value[1:])


_BY_NAME: Mapping[str, Callable[[Iterable[Any]], Object]] = {kind.__name__: kind._make for kind in Object.__args__}
