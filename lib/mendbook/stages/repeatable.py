"""Statements in a form that does no harm where their effect is there already."""

from __future__ import annotations

import re

from psycopg import sql

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_PLACE = rf"{_NAME}(?:\.{_NAME})?"
_MADE = r"SCHEMA|SEQUENCE|EXTENSION|(?:UNLOGGED |FOREIGN )?TABLE|MATERIALIZED VIEW|(?:UNIQUE )?INDEX(?: CONCURRENTLY)?+"
_DROPPED = (
    r"SCHEMA|EXTENSION|TYPE|DOMAIN|SEQUENCE|(?:FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW|INDEX(?: CONCURRENTLY)?+"
    r"|FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|POLICY|RULE"
)

# The beginning of a statement, and the condition that PostgreSQL takes after it.
_CONDITIONS = (
    (rf"CREATE (?:{_MADE})(?! IF )(?= )", " IF NOT EXISTS"),
    (rf"ALTER TABLE (?:ONLY )?{_PLACE} ADD COLUMN(?! IF )(?= )", " IF NOT EXISTS"),
    (rf"ALTER TYPE {_PLACE} ADD VALUE(?! IF )(?= )", " IF NOT EXISTS"),
    (rf"ALTER TABLE (?:ONLY )?{_PLACE} DROP (?:COLUMN|CONSTRAINT)(?! IF )(?= )", " IF EXISTS"),
    (rf"DROP (?:{_DROPPED})(?! IF )(?= )", " IF EXISTS"),
)
_CONSTRAINT = re.compile(rf"ALTER TABLE (?:ONLY )?({_PLACE}) ADD CONSTRAINT ({_NAME})")
_UNCONDITIONAL = re.compile(r"CREATE (?:TYPE|DOMAIN|(?:CONSTRAINT )?TRIGGER)\b")


def form(statement: str) -> str:
    """The statement, as `mendbook.schema.ddl` writes it, with a condition on what it makes or drops.

    Where PostgreSQL has no ``IF NOT EXISTS``, a block asks the catalog or lets the duplicate pass. What has neither,
    such as a new default, can be repeated as it is.
    """
    for beginning, condition in _CONDITIONS:
        found = re.match(beginning, statement)
        if found:
            return found[0] + condition + statement[found.end() :]
    constraint = _CONSTRAINT.match(statement)
    if constraint:
        there = sql.SQL("SELECT FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}").format(
            sql.Literal(constraint[1]), sql.Literal(_plain(constraint[2]))
        )
        return _block(f"IF NOT EXISTS ({there.as_string(None)}) THEN\n    {statement};\n  END IF;")
    if _UNCONDITIONAL.match(statement):
        return _block(f"{statement};\nEXCEPTION WHEN duplicate_object THEN\n  NULL;")
    return statement


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _block(body: str) -> str:
    tag = "$do$"
    while tag in body:
        tag = f"${tag[1:-1]}o$"
    return f"DO {tag}\nBEGIN\n  {body}\nEND\n{tag}"
