"""SQL from templates: names are quoted by psycopg, and what PostgreSQL itself wrote is passed on as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from psycopg import sql


def text(template: LiteralString, /, **parts: sql.Composable | str) -> str:
    """Fill a template: a str argument is PostgreSQL's own text, a Composable is quoted by psycopg."""
    filled = {name: part if isinstance(part, sql.Composable) else sql.SQL(part) for name, part in parts.items()}
    return sql.SQL(template).format(**filled).as_string(None)


def aside(name: str, suffix: str) -> str:
    """Another name made of *name*: an identifier has 63 bytes at most."""
    return name.encode()[: 63 - len(suffix)].decode(errors="ignore") + suffix


def names(items: Iterable[str]) -> sql.Composable:
    """Names with commas between them."""
    return sql.SQL(", ").join(map(sql.Identifier, items))
