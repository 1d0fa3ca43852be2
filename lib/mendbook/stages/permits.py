"""Permits: what the role has to be allowed for a plan, held against what it is allowed, before the first step.

Only what is certain is asked for: a plan that needs more fails at that step, and is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg

from mendbook.errors import Refused
from mendbook.schema.key import Key
from mendbook.schema.locks import Lock
from mendbook.stages.plan import Plan
from mendbook.target import Identity

# What only the owner of the relation may change (manual, section 5.8 "Privileges").
_OWNED = ("column", "constraint", "index", "policy", "rule", "table", "view", "sequence")
_MADE = ("table", "view", "sequence", "type")

_OWNERS: LiteralString = """
SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)::text,
       pg_has_role(c.relowner, 'MEMBER')
FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name)
JOIN pg_namespace n ON n.nspname = wanted.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE NOT pg_has_role(c.relowner, 'USAGE')
ORDER BY 1
"""
_SCHEMAS: LiteralString = """
SELECT DISTINCT n.nspname::text
FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name) JOIN pg_namespace n ON n.nspname = wanted.schema
WHERE NOT has_schema_privilege(n.oid, 'CREATE')
  AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = wanted.name)
  AND NOT EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = n.oid AND t.typname = wanted.name)
ORDER BY 1
"""
_DATABASE: LiteralString = """
SELECT NOT has_database_privilege(current_database(), 'CREATE')
FROM unnest(%s::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = name)
"""
_WRITTEN: LiteralString = """
SELECT name FROM unnest(%s::text[]) AS name
WHERE NOT has_table_privilege(to_regclass(name), 'INSERT, UPDATE, DELETE') ORDER BY 1
"""
_SOURCE: LiteralString = "SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only'"
_WHERE = {
    "database": "set for this database",
    "user": "set for this role",
    "database user": "set for this role in this database",
    "client": "set by the connection's own options",
}


def require(conn: psycopg.Connection[Any], plan: Plan, identity: Identity) -> None:
    """Raise `Refused` naming everything that the role behind *conn* is not allowed and *plan* needs."""
    if identity.read_only:
        row = conn.execute(_SOURCE).fetchone()
        where = _WHERE.get(row[0] if row else "", "set for the whole server")
        raise Refused(
            f"The role {identity.role} is read-only by default (default_transaction_read_only is {where}); nothing was "
            f"changed. Use a role that may change the schema."
        )
    lacking = list(_lacking(conn, plan))
    if lacking:
        raise Refused(
            f"The role {identity.role} may not do this, so nothing was changed: {'; '.join(lacking)}. Name a target "
            f"with a role that may, and diagnose again."
        )


def _lacking(conn: psycopg.Connection[Any], plan: Plan) -> Iterator[str]:
    keys = [*(item.key for item in plan.desired), *plan.dropped]
    owned = [key for key in keys if key.kind in _OWNED]
    for relation, owner, member in conn.execute(_OWNERS, _pairs(owned)):
        hint = f" (it is a member of {owner}, and does not inherit from it)" if member else ""
        yield f"it must be owner of {relation}, which belongs to {owner}{hint}"
    made = [item.key for item in plan.desired if item.key.kind in _MADE]
    made += [Key("index", key.schema, key.part) for key in owned if key.kind == "index" and key not in plan.dropped]
    for (schema,) in conn.execute(_SCHEMAS, _pairs(made)):
        yield f"it needs CREATE on the schema {schema}"
    schemas = [item.key.name for item in plan.desired if item.key.kind == "schema"]
    if any(lacks for (lacks,) in conn.execute(_DATABASE, [schemas])):
        yield "it needs CREATE on the database"
    written = {name for step in plan.steps for name, lock in step.locks.items() if lock is Lock.ROW_EXCLUSIVE}
    for (table,) in conn.execute(_WRITTEN, [sorted(written)]):
        yield f"it may not write to {table}"


def _pairs(keys: list[Key]) -> list[list[str]]:
    return [[key.schema for key in keys], [key.name for key in keys]]
