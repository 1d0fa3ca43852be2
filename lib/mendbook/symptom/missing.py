"""Which object a server misses, from the place in the statement that it points at.

The server gives the position of the name it could not find, whatever the language of its message. So the name is read
from the statement, with its qualifier and the alias resolved; what the message does not hold as well is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mendbook import lexer
from mendbook.symptom import statements
from mendbook.symptom.statements import Statement, Table

COLUMN, TABLE, FUNCTION, SCHEMA, OBJECT, PARAMETER = "42703", "42P01", "42883", "3F000", "42704", "42P02"
SQLSTATES = frozenset({COLUMN, TABLE, FUNCTION, SCHEMA, OBJECT, PARAMETER})

_QUOTED = re.compile('["„«»“]([^"„“”«»]+)["“”»«]')  # a name in a message, in any language's quotes


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """What could not be found. Names are folded; None is what is not known for certain."""

    schema: str | None = None
    table: str | None = None  # of a missing column: the table that lacks it, if the statement leaves no doubt
    column: str | None = None
    other: str | None = None  # a function, a type

    def __str__(self) -> str:
        return ".".join(name for name in (self.schema, self.table, self.column, self.other) if name)


def find(statement: Statement, sqlstate: str, message: str, position: int | None) -> Missing:
    """Return what is missing; *position* is 1-based, in characters of the normalised statement."""
    quoted = [name.strip() for name in _QUOTED.findall(message)]
    names = _names_at(statement.sql, position) if position else tuple(quoted) if len(quoted) == 1 else ()
    if sqlstate not in SQLSTATES or not names:
        return Missing()
    if sqlstate == COLUMN:
        return _column(statement, names, quoted, message)
    if sqlstate == TABLE:
        return _table(names, quoted)
    if sqlstate == SCHEMA:
        return Missing(schema=names[0]) if names[0] in quoted else Missing()
    schema = names[-2] if len(names) > 1 else None
    return Missing(schema=schema, other=names[-1]) if names[-1] in message else Missing()


def _names_at(sql: str, position: int) -> tuple[str, ...]:
    """Return the parts of the qualified name at *position*, also of one in a string, as for regclass; () for none."""
    names: list[str] = []
    dots = 0
    for token in lexer.tokens(sql, position - 1):
        if token.kind == "space" or (token.text == "(" and not names):
            continue
        if token.kind == "string" and not names:
            return statements.parts(token.text[1:-1].replace("''", "'"))
        if token.kind in ("word", "quoted") and len(names) == dots:
            names.append(statements.fold(token.text))
        elif token.text == "." and len(names) > dots:
            dots += 1
        else:
            break
    return tuple(names)


def _table(names: Sequence[str], quoted: Sequence[str]) -> Missing:
    """A relation, or the qualifier of a column that no FROM has: which of them the message names."""
    if ".".join(names) in quoted:
        return Missing(schema=names[-2] if len(names) > 1 else None, table=names[-1])
    table = next((name for name in (*names[-2:-1], names[-1]) if name in quoted), None)
    return Missing(table=table)


def _column(statement: Statement, names: Sequence[str], quoted: Sequence[str], message: str) -> Missing:
    column = next((name for name in (names[-1], names[0]) if name in quoted), None)
    if column is None and f".{names[-1]}" in message:
        column = names[-1]
    if column is None:
        return Missing()
    relations = [name for name in quoted if name != column]
    qualifier = names[:-1] if column == names[-1] else ()
    schema, table = _table_of(statement, relations, qualifier) or (None, None)
    return Missing(schema=schema, table=table, column=column)


def _table_of(statement: Statement, relations: Sequence[str], qualifier: Sequence[str]) -> Table | None:
    """Return the table that a missing column belongs to: the message's, the qualifier's, or the only one there is."""
    if len(relations) == 1:
        meant = {table for table in statement.tables.values() if table[1] == relations[0]}
        return meant.pop() if len(meant) == 1 else (None, relations[0])
    if len(qualifier) > 1:
        return qualifier[-2], qualifier[-1]
    if qualifier:
        return statement.tables.get(qualifier[0])
    queries = sum(token.text.upper() in ("SELECT", "WITH") for token in lexer.tokens(statement.sql))
    is_plain = statement.verb in ("SELECT", "UPDATE", "DELETE") and queries <= 1 and len(statement.tables) == 1
    return next(iter(statement.tables.values())) if is_plain else None
