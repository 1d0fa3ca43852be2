"""The values of a runbook's parameters: read as the type that each has, whoever gives them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from mendbook import lexer
from mendbook.errors import Usage
from mendbook.runbook_text import Parameter, Value

_TYPE = re.compile(  # a type as SQL writes it: words or quoted names, a precision, array brackets
    r'(?:[A-Za-z_]\w*|"(?:[^"]|"")+")(?:\.(?:[A-Za-z_]\w*|"(?:[^"]|"")+"))?(?: [A-Za-z_]\w*)*'
    r"(?:\(\d+(?:, ?-?\d+)?\))?(?: (?:with|without) time zone)?(?:\[\d*\])*",
    re.IGNORECASE,
)


def coerce(name: str, parameter: Parameter, given: object) -> Value:
    """Read a value as its parameter's type; raises `Usage` naming the parameter."""
    value = _READERS.get(parameter.type, _text)(given)
    if parameter.default == "" and given == "":
        return ""
    if value is None:
        raise Usage(f"The parameter {name} wants {_WANTS[parameter.type]}, and got {given!r}; nothing was started.")
    return value


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and not _UNSENDABLE.search(given) else None


def _boolean(given: object) -> bool | None:
    return {"true": True, "false": False}.get(str(given).lower())


def _integer(given: object) -> int | None:
    return int(str(given)) if not isinstance(given, bool) and re.fullmatch(r"[+-]?\d+", str(given)) else None


def _number(given: object) -> float | None:
    fits = not isinstance(given, bool) and re.fullmatch(r"[+-]?\d+(\.\d+)?", str(given))
    return float(str(given)) if fits else None


def _identifier(given: object) -> str | None:
    text = _text(given)
    return text if text and len(text.encode()) <= 63 else None


def _identifiers(given: object) -> str | None:
    names = [_identifier(each.strip()) for each in (_text(given) or "").split(",")]
    return None if None in names else ",".join(map(str, names))


def _type(given: object) -> str | None:
    text = _text(given)
    return text if text and _TYPE.fullmatch(text.strip()) else None


def _timestamp(given: object) -> str | None:
    """A moment: without its zone, each reader would mean another one."""
    try:
        found = datetime.fromisoformat(re.sub(r" (UTC|GMT|Z)$", "+00:00", str(given).strip()))
    except ValueError:
        return None
    return str(found) if found.tzinfo else None


def _statement(given: object) -> str | None:
    """One statement: what it is, the server says, which only Parses it."""
    text = _ddl(given)
    return text if text and len(lexer.split(text)) == 1 else None


def _expression(given: object) -> str | None:
    """An expression that ends where it ends: in parentheses, it takes nothing in that stands behind it."""
    text = _text(given)
    read = [each for each in lexer.tokens(text or "") if each.kind != "space"]
    depths = list(itertools.accumulate((each.text == "(") - (each.text == ")") for each in read))
    plain = all(each.closed and each.kind not in ("comment", "other") and each.text not in _ENDS for each in read)
    return text if read and plain and depths[-1] == 0 and min(depths) >= 0 else None


def _privileges(given: object) -> str | None:
    """Privileges on a table or a sequence, in the order in which they are given."""
    names = [each.strip().upper() for each in (_text(given) or "").split(",")]
    return ", ".join(names) if set(names) <= _PRIVILEGES else None


def _ddl(given: object) -> str | None:
    """Statements that are whole, with no commands to psql among them."""
    text = _text(given)
    pieces = lexer.split(text or "")
    closed = all(each.closed for each in lexer.tokens(text or ""))
    return text if pieces and closed and all(each.kind == "sql" for each in pieces) else None


_UNSENDABLE = re.compile("[\\0\ud800-\udfff]")  # PostgreSQL's text holds no NUL, and UTF-8 no half of a pair
_ENDS = (";", "\\;")
_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "USAGE"})
PLAIN_SQL = ("type", "statement", "expression", "ddl", "privileges")  # types whose values stand in SQL as they are
_READERS: Mapping[str, Callable[[object], Value | None]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "identifier": _identifier,
    "identifiers": _identifiers,
    "type": _type,
    "timestamp": _timestamp,
    "statement": _statement,
    "expression": _expression,
    "ddl": _ddl,
    "privileges": _privileges,
}
_WANTS = {
    "identifier": "a name of 1 to 63 bytes",
    "identifiers": "names of 1 to 63 bytes, with commas between them",
    "text": "text without NUL characters",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "type": "a PostgreSQL type such as timestamptz or numeric(10,2)",
    "directory": "a directory",
    "expectation": "what states a schema, such as sql:FILE or alembic:DIR",
    "timestamp": "a time with its zone, such as 2026-03-02 08:14:55 UTC",
    "statement": "one whole SQL statement",
    "expression": "one SQL expression without comments, such as now() or 0",
    "privileges": "privileges such as SELECT, INSERT",
    "ddl": "whole SQL statements, such as CREATE TABLE orders (id bigint)",
}
