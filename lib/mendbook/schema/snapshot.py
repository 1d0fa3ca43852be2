"""A Snapshot: the schema of one database, in PostgreSQL's own definitions, from one consistent read."""

from __future__ import annotations

import gc
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, LiteralString

import psycopg

from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import (
    Collation,
    Custom,
    DefaultPrivilege,
    EventTrigger,
    Extension,
    Function,
    Grant,
    Object,
    Other,
    Publication,
    Schema,
    Sequence,
    Server,
    Setting,
    Type,
)
from mendbook.schema.relations import Column, Constraint, Index, Policy, Rule, Statistics, Table, Trigger, View
from mendbook.schema.text import regrouped

Place = tuple[str, int, int]  # as in pg_depend: the catalog, the oid, the number of the column or 0

# The queries of catalog.sql, the catalog that each class stands in, and the class of their rows. Where no catalog is
# named, the row names it.
_CLASSES: Mapping[str, tuple[str, Callable[[Iterable[Any]], Object]]] = {
    "schemas": ("pg_namespace", Schema._make),
    "extensions": ("pg_extension", Extension._make),
    "collations": ("pg_collation", Collation._make),
    "types": ("pg_type", Type._make),
    "sequences": ("pg_class", Sequence._make),
    "servers": ("pg_foreign_server", Server._make),
    "tables": ("pg_class", Table._make),
    "columns": ("pg_class", Column._make),
    "constraints": ("pg_constraint", Constraint._make),
    "indexes": ("pg_class", Index._make),
    "functions": ("pg_proc", Function._make),
    "views": ("pg_class", View._make),
    "triggers": ("pg_trigger", Trigger._make),
    "rules": ("pg_rewrite", Rule._make),
    "policies": ("pg_policy", Policy._make),
    "statistics": ("pg_statistic_ext", Statistics._make),
    "event_triggers": ("pg_event_trigger", EventTrigger._make),
    "publications": ("pg_publication", Publication._make),
    "grants": ("", Grant._make),
    "default_privileges": ("", DefaultPrivilege._make),
    "settings": ("", Setting._make),
    "customs": ("", Custom._make),
    "others": ("", Other._make),
}
_PLACED = ("columns", "customs", "others")  # whose rows say more of their place than an oid


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The schema of one database at one moment."""

    objects: Mapping[Key, Object]  # by class; the columns of a table in the order that they have in it
    # What each object needs, as pg_depend says; that a part needs its relation goes without saying.
    needs: Mapping[Key, frozenset[Key]] = field(default_factory=dict, compare=False)
    volatile: frozenset[str] = field(default=frozenset(), compare=False)  # the names of volatile functions
    major: int = field(default=0, compare=False)  # of the server

    def __len__(self) -> int:
        return len(self.objects)

    @cached_property
    def by_owner(self) -> Mapping[tuple[str, str], tuple[Object, ...]]:
        """Objects by the (schema, name) of the relation, type or function they are or belong to."""
        grouped: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for key, item in self.objects.items():
            grouped[key.owner].append(item)
        return {owner: tuple(items) for owner, items in grouped.items()}

    @cached_property
    def needed_by(self) -> Mapping[Key, frozenset[Key]]:
        """The objects that need each object."""
        users: dict[Key, set[Key]] = defaultdict(set)
        for key, needs in self.needs.items():
            for each in needs:
                users[each].add(key)
        return {key: frozenset(those) for key, those in users.items()}

    def columns(self, schema: str, table: str) -> tuple[Column, ...]:
        """The columns of a table, in order; empty where there is no such table."""
        return tuple(item for item in self.by_owner.get((schema, table), ()) if isinstance(item, Column))

    def tables(self) -> Iterator[Table]:
        """Every table."""
        return (item for item in self.objects.values() if isinstance(item, Table))

    @cached_property
    def sequences(self) -> Mapping[tuple[str, str], tuple[Sequence, ...]]:
        """The sequences that the columns of each table own."""
        found: dict[tuple[str, str], list[Sequence]] = defaultdict(list)
        for item in self.objects.values():
            if isinstance(item, Sequence) and item.owner_table:
                found[item.owner_schema or "", item.owner_table].append(item)
        return {owner: tuple(those) for owner, those in found.items()}

    @cached_property
    def foreign_keys(self) -> Mapping[str, tuple[Constraint, ...]]:
        """The foreign keys that point to each table, by its quoted, qualified name."""
        found: dict[str, list[Constraint]] = defaultdict(list)
        for item in self.objects.values():
            if isinstance(item, Constraint) and item.references:
                found[item.references].append(item)
        return {name: tuple(those) for name, those in found.items()}

    @cached_property
    def required(self) -> frozenset[str]:
        """How NOT NULL is said of the columns where its name is not the usual."""
        columns = (each for each in self.objects.values() if isinstance(each, Column))
        return frozenset(each.required for each in columns if each.required)

    @cached_property
    def extensions(self) -> frozenset[Key]:
        """Every extension: what they bring is not listed on its own."""
        return frozenset(key for key in self.objects if key.kind == "extension")

    @cached_property
    def indexes(self) -> Mapping[str, Key]:
        """The indexes and keys that partitions have part in, by their quoted, qualified names."""
        parents = {each.schema for each in self.tables() if each.kind == "p"}
        return {
            qualified(each.schema, each.name): key
            for key, each in self.objects.items()
            if isinstance(each, Index | Constraint) and each.schema in parents and is_index(each)
        }

    @cached_property
    def attached(self) -> Mapping[str, tuple[Index | Constraint, ...]]:
        """The indexes and keys of partitions in each index of a partitioned table, by its quoted, qualified name."""
        found: dict[str, list[Index | Constraint]] = defaultdict(list)
        for item in self.objects.values():
            if isinstance(item, Index | Constraint) and item.parent:
                found[item.parent].append(item)
        return {name: tuple(those) for name, those in found.items()}

    @cached_property
    def by_name(self) -> Mapping[str, Table]:
        """Every table by its quoted, qualified name."""
        return {qualified(each.schema, each.name): each for each in self.tables()}

    @cached_property
    def called(self) -> Mapping[str, tuple[str, ...]]:
        """The quoted, qualified names of the tables of each plain name."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, table in self.by_name.items():
            found[table.name].append(name)
        return {name: tuple(those) for name, those in found.items()}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The quoted, qualified names of the partitions and inheriting tables of each table that has some."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, table in self.by_name.items():
            for parent in table.parents:
                found[parent].append(name)
        return {parent: tuple(names) for parent, names in found.items()}

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


def is_index(item: Object) -> bool:
    """Whether an object is an index, or a constraint that stands on one."""
    return isinstance(item, Index) or (isinstance(item, Constraint) and item.kind in "pux")


EMPTY = Snapshot(objects={})


def read(conn: psycopg.Connection[Any]) -> Snapshot:
    """Read the schema through *conn*, inside the transaction that is open there (`Target.reading`)."""
    before = conn.execute(_SETTINGS, ["", _MEMORY]).fetchone()
    major = conn.info.server_version // 10_000
    queries = _queries(major)
    objects: dict[Key, Object] = {}
    places: dict[Place, Key] = {}
    with no_collection():
        for name, (catalog, make) in _CLASSES.items():
            width = 2 if name in _PLACED else 1
            conditions = _CONDITIONS.get(name)
            for row in conn.execute(queries[name]).fetchall():
                item = _reread(make(row[width:]), conditions) if conditions else make(row[width:])
                key = item.key
                objects[key] = item
                places[catalog or row[1], row[0], row[1] if name == "columns" else 0] = key
        needs = _needs(conn, queries, places)
        volatile = frozenset(name for (name,) in conn.execute(queries["volatile"]))
    if before:
        conn.execute(_SETTINGS, before[:2])
    return Snapshot(objects=objects, needs=needs, volatile=volatile, major=major)


def _reread(item: Any, fields: Iterable[str]) -> Any:
    """An object whose conditions PostgreSQL prints alike once it has read them."""
    for name in fields:
        said = getattr(item, name)
        if said is not None and (grouped := regrouped(said)) != said:
            item = item._replace(**{name: grouped})
    return item


_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("constraints", "indexes", "views", "triggers", "rules"), ("definition",)),
    "policies": ("using", "check"),
}


def _needs(
    conn: psycopg.Connection[Any], queries: Mapping[str, LiteralString], places: Mapping[Place, Key]
) -> Mapping[Key, frozenset[Key]]:
    """What each object needs: of a relation's column, the relation as well."""
    rows = conn.execute(queries["dependencies"]).fetchall()
    unknown = {oid for row in rows for catalog, oid in (row[0:2], row[3:5]) if catalog == "pg_type"}
    aliases = {row[0]: (row[1], row[2]) for row in conn.execute(queries["aliases"], [list(unknown)])}
    needs: dict[Key, set[Key]] = defaultdict(set)
    for catalog, oid, number, *other, other_number in rows:
        at = aliases.get(oid, (catalog, oid)) if catalog == "pg_type" else (catalog, oid)
        user = places.get((*at, number)) or places.get((*at, 0))
        if user is not None:
            there = aliases.get(other[1], other) if other[0] == "pg_type" else other
            found = (places.get((*there, 0)), places.get((*there, other_number)))
            needs[user].update(key for key in found if key is not None and key != user)
    return {key: frozenset(those) for key, those in needs.items() if those}


@contextmanager
def no_collection() -> Iterator[None]:
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
def _queries(major: int) -> Mapping[str, LiteralString]:
    """The queries of catalog.sql for a server of that major version."""
    text = resources.files("mendbook.schema").joinpath("catalog.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)(?: since (\d+))?\n", text, flags=re.MULTILINE)
    named = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {name: query for name, since, query in named if int(since or 0) <= major}


def _canonical(item: Object) -> str:
    return json.dumps([item.key.kind, *item], ensure_ascii=False)


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()
