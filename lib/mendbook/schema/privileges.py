"""Grants, default privileges and settings of roles, as SQL.

A privilege is written as PostgreSQL names it, followed by * where it may be granted on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from psycopg import sql

from mendbook.schema.objects import DefaultPrivilege, Function, Grant, Object, Setting, Type
from mendbook.schema.text import names, text

# What GRANT calls each kind of object that has grants and is in no schema.
OUTSIDE = {
    "schema": "SCHEMA",
    "server": "FOREIGN SERVER",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
    "language": "LANGUAGE",
}


def roles(those: Sequence[str]) -> sql.Composable:
    """Roles as GRANT and CREATE POLICY name them; none is PUBLIC."""
    return names(those) if those else sql.SQL("PUBLIC")


def grant(item: Grant | DefaultPrivilege) -> list[str]:
    """The statements that lead from what is usual to *item*."""
    return change(item, item.usual, item.privileges)


def usual(item: Object, defaults: Iterable[DefaultPrivilege]) -> list[str]:
    """The statements that give a new object what is usual for its kind, whatever *defaults* gave it."""
    found = _KINDS.get(item.key.kind)
    if found is None:
        return []
    word = "DOMAIN" if isinstance(item, Type) and item.kind == "d" else found[1]
    part = item.arguments if isinstance(item, Function) else ""
    made = []
    for each in defaults:
        if each.object == found[0] and each.schema in ("", item.key.schema):
            name = item.key.name
            granted = Grant(word, item.key.schema, name, part, each.grantee, each.privileges, _usual(word, each))
            made += change(granted, granted.privileges, granted.usual)
    return made


# Which default privileges count for a kind of object, and what GRANT calls it.
_KINDS = {
    "table": ("TABLES", "TABLE"),
    "view": ("TABLES", "TABLE"),
    "sequence": ("SEQUENCES", "SEQUENCE"),
    "function": ("FUNCTIONS", "ROUTINE"),
    "type": ("TYPES", "TYPE"),
    "schema": ("SCHEMAS", "SCHEMA"),
}


def _usual(word: str, default: DefaultPrivilege) -> list[str]:
    """What the owner may do by itself is what the default of its role would be; of a schema's, nobody but PUBLIC."""
    if default.grantee:
        return default.usual
    return {"ROUTINE": ["EXECUTE"], "TYPE": ["USAGE"], "DOMAIN": ["USAGE"]}.get(word, [])


def revoke(item: Grant | DefaultPrivilege) -> list[str]:
    """The statements that lead from *item* back to what is usual."""
    return change(item, item.privileges, item.usual)


def change(item: Grant | DefaultPrivilege, before: Iterable[str], after: Iterable[str]) -> list[str]:
    """The statements that lead from the privileges *before* to those *after*."""
    had, wanted = set(before), set(after)
    gone = [each.rstrip("*") for each in had if each.rstrip("*") not in {one.rstrip("*") for one in wanted}]
    new = wanted - had
    no_longer = [each.rstrip("*") for each in had if each.endswith("*") and each.rstrip("*") in wanted]
    made = []
    if gone:
        made.append(_say(item, "REVOKE", gone, "FROM"))
    if no_longer:
        made.append(_say(item, "REVOKE GRANT OPTION FOR", no_longer, "FROM"))
    plain = [each for each in new if not each.endswith("*") and f"{each}*" not in had]
    if plain:
        made.append(_say(item, "GRANT", plain, "TO"))
    passed_on = [each.rstrip("*") for each in new if each.endswith("*")]
    if passed_on:
        made.append(_say(item, "GRANT", passed_on, "TO") + " WITH GRANT OPTION")
    return made


def _say(item: Grant | DefaultPrivilege, verb: str, privileges: list[str], way: str) -> str:
    grantee = roles([item.grantee] if item.grantee else [])
    listed = ", ".join(sorted(privileges))
    if isinstance(item, DefaultPrivilege):
        place = text(" IN SCHEMA {s}", s=sql.Identifier(item.schema)) if item.schema else ""
        whose = text("ALTER DEFAULT PRIVILEGES FOR ROLE {role}{place} ", role=sql.Identifier(item.role), place=place)
        return whose + text("{v} {p} ON {o} {way} {r}", v=verb, p=listed, o=item.object, way=way, r=grantee)
    if item.object == "COLUMN":
        column = text("({c})", c=sql.Identifier(item.part))
        listed = ", ".join(f"{each} {column}" for each in sorted(privileges))
    return text("{v} {p} ON {o} {way} {r}", v=verb, p=listed, o=_object(item), way=way, r=grantee)


def _object(item: Grant) -> str:
    name = sql.Identifier(*(each for each in (item.schema, item.name) if each))
    if item.object == "ROUTINE":
        return text("{word} {name}({arguments})", word=item.object, name=name, arguments=item.part)
    word = "TABLE" if item.object == "COLUMN" else item.object
    return text("{word} {name}", word=word, name=name)


# ---- settings


def setting(item: Setting) -> str:
    """The statement that makes a setting of this database, or of a role in it."""
    value = _value(item)
    return _in_this_database(item, text("SET {name} TO {value}", name=sql.Identifier(item.name), value=value))


def reset(item: Setting) -> str:
    """The statement that takes a setting back."""
    return _in_this_database(item, text("RESET {name}", name=sql.Identifier(item.name)))


def _value(item: Setting) -> sql.Composable:
    """A list, such as a search_path, is stored with its quotes; written as one literal it would be one name."""
    if item.name not in _LISTS:
        return sql.Literal(item.value)
    found = [each.strip() for each in re.findall(r'\s*(?:"(?:[^"]|"")*"|[^,"]+)', item.value)]
    parts = [each[1:-1].replace('""', '"') if each.startswith('"') else each for each in found if each]
    return sql.SQL(", ").join(map(sql.Literal, parts))


# Settings of the kind GUC_LIST_QUOTE: guc_parameters.dat of PostgreSQL's source, src/backend/utils/misc.
_LISTS = ("search_path", "local_preload_libraries", "session_preload_libraries", "temp_tablespaces")


def _in_this_database(item: Setting, change: str) -> str:
    """The database is the one that the statement runs in, so that the same plan runs on a clone."""
    whose = text("ALTER ROLE {role} IN DATABASE ", role=sql.Identifier(item.role)) if item.role else "ALTER DATABASE "
    template = sql.Literal(f"{whose.replace('%', '%%')}%I {change.replace('%', '%%')}").as_string(None)
    return text("DO {body}", body=sql.Literal(f"BEGIN EXECUTE format({template}, current_database()); END"))
