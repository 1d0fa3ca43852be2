"""SQL from templates: names are quoted by psycopg, and what PostgreSQL itself wrote is passed on as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import LiteralString

from psycopg import sql


def text(template: LiteralString, /, **parts: sql.Composable | str) -> str:
    """Fill a template: a str argument is PostgreSQL's own text, a Composable is quoted by psycopg."""
    filled = {name: part if isinstance(part, sql.Composable) else sql.SQL(part) for name, part in parts.items()}
    return sql.SQL(template).format(**filled).as_string(None)


def regrouped(definition: str) -> str:
    """A condition as PostgreSQL prints it, so that it prints it alike once it has read that.

    What BETWEEN stands for is printed as two comparisons, and their group would be lost before AND or OR:
    makeAndExpr() of PostgreSQL's source, src/backend/parser/gram.y.
    """
    return _BETWEEN.sub(_between, definition) if " AND (" in definition or " OR (" in definition else definition


_BETWEEN = re.compile(
    r"(?<=\()\(\((?P<what>.+?) (?:>= (?P<low>.+?)\) AND \((?P=what) <= (?P<high>.+?)\)\)(?= AND )"
    r"|< (?P<under>.+?)\) OR \((?P=what) > (?P<over>.+?)\)\)(?= OR ))"
)


_STRING = re.compile(r"'(?:[^']|'')*'")


def _between(found: re.Match[str]) -> str:
    what, low, high = found["what"], found["low"] or found["under"], found["high"] or found["over"]
    plain = [_STRING.sub("", each) for each in (what, low, high)]
    if any(each.count("(") != each.count(")") or "'" in each for each in plain):
        return found[0]  # it begins or ends within something else
    return f"({what} {'BETWEEN' if found['low'] else 'NOT BETWEEN'} {low} AND {high})"


def aside(name: str, suffix: str) -> str:
    """Another name made of *name*: an identifier has 63 bytes at most."""
    return name.encode()[: 63 - len(suffix)].decode(errors="ignore") + suffix


def names(items: Iterable[str]) -> sql.Composable:
    """Names with commas between them."""
    return sql.SQL(", ").join(map(sql.Identifier, items))
