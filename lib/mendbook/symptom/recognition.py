"""Whether a text is an SQL statement, part of one, or prose.

"Select a file from your computer" reads much like SQL. A statement is known by its shape (after INSERT comes INTO and a
name), prose by words that SQL has not: an article, three words in a row without a key word among them, a capital at
the beginning alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from mendbook import lexer
from mendbook.lexer import Token
from mendbook.symptom.statements import Statement

HOLE = "\ufffc"  # OBJECT REPLACEMENT CHARACTER: a letter to the lexer; stands for what the program fills in

# Key words of the grammar that stand next to names without a comma or an operator between.
_KEY_WORDS = frozenset(
    {"ABORT", "ADD", "AFTER", "ALL", "ALTER", "ALWAYS", "ANALYZE", "AND", "ANY", "AS", "ASC", "AT", "ATOMIC", "BEFORE"}
    | {"BEGIN", "BETWEEN", "BOTH", "BY", "CALL", "CASCADE", "CASE", "CAST", "CHECK", "COLLATE", "COLUMN", "COMMIT"}
    | {"CONCURRENTLY", "CONFLICT", "CONSTRAINT", "CREATE", "CROSS", "CUBE", "CURRENT", "CURRENT_DATE", "CURRENT_ROLE"}
    | {"CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "CYCLE", "DEFAULT", "DELETE", "DESC", "DISTINCT", "DO"}
    | {"DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXCLUDE", "EXCLUDED", "EXISTS", "EXPLAIN", "EXTRACT", "FALSE"}
    | {"FETCH", "FILTER", "FIRST", "FOLLOWING", "FOR", "FOREIGN", "FROM", "FULL", "FUNCTION", "GROUP", "GROUPING"}
    | {"GROUPS", "HAVING", "IF", "ILIKE", "IN", "INDEX", "INNER", "INSERT", "INTERSECT", "INTERVAL", "INTO", "IS"}
    | {"JOIN", "KEY", "LAST", "LATERAL", "LEADING", "LEFT", "LIKE", "LIMIT", "LOCAL", "LOCALTIMESTAMP", "LOCK"}
    | {"LOCKED", "MATCHED", "MATERIALIZED", "MERGE", "NATURAL", "NEXT", "NO", "NOT", "NOTHING", "NOWAIT", "NULL"}
    | {"NULLS", "OF", "OFFSET", "ON", "ONLY", "OR", "ORDER", "ORDINALITY", "OTHERS", "OUTER", "OVER", "OVERLAPS"}
    | {"OVERRIDING", "PARTITION", "PRECEDING", "PRECISION", "PRIMARY", "RANGE", "RECURSIVE", "REFERENCES", "REPLACE"}
    | {"RETURNING", "RIGHT", "ROLLUP", "ROW", "ROWS", "SELECT", "SESSION", "SESSION_USER", "SET", "SETS", "SHARE"}
    | {"SIMILAR", "SKIP", "SOME", "SYMMETRIC", "SYSTEM", "TABLE", "TABLESAMPLE", "TEMP", "TEMPORARY", "THEN", "TIES"}
    | {"TIME", "TIMESTAMP", "TO", "TRAILING", "TRUE", "UNBOUNDED", "UNION", "UNIQUE", "UPDATE", "USER", "USING"}
    | {"VALUE", "VALUES", "VARYING", "VIEW", "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN", "WITHOUT", "ZONE"}
)
_CLAUSES = frozenset(
    {"WHERE", "AND", "OR", "FROM", "JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "FULL", "ORDER", "GROUP", "HAVING"}
    | {"LIMIT", "OFFSET", "SET", "VALUES", "RETURNING", "UNION", "ON", "USING", "INTO"}
)

# A text's shape is its tokens in letters: key words as they are, n for a name, h for a hole, 1 for a number, ' for a
# string, $ for a parameter, o for an operator other than *, and punctuation.
_NAME = r"[nh](?:[ ]\.[ ][nh])*"
_STATEMENT = re.compile(
    rf"""
      INSERT[ ]INTO[ ]{_NAME}\b
    | DELETE[ ]FROM[ ](?:ONLY[ ])?{_NAME}\b
    | UPDATE[ ](?:ONLY[ ])?{_NAME}(?:[ ]\*)?(?:[ ]AS)?(?:[ ]n)?[ ]SET[ ][nh(]
    | UPDATE[ ]h
    | MERGE[ ]INTO[ ].*\bUSING\b
    | WITH[ ](?:RECURSIVE[ ])?n(?:[ ]\([^()]*\))?[ ]AS[ ](?:NOT[ ])?(?:MATERIALIZED[ ])?\(
    | (?:\([ ])*SELECT[ ].*\bFROM[ ][nh($L]
    | (?:\([ ])*SELECT[ ](?:DISTINCT[ ])?(?:{_NAME}[ ][(,.]|[1'$(h*]|CASE|EXISTS|NULL|TRUE|FALSE|CURRENT_|SESSION_USER)
    | VALUES[ ]\(
    """,
    re.VERBOSE | re.DOTALL,
)
# Statements that Parse does not look into; in source only where they are written in capitals.
_UTILITY = re.compile(
    rf"""
      (?:BEGIN|COMMIT|ROLLBACK|START|END)(?:[ ](?:TRANSACTION|WORK|ISOLATION|READ|TO|AND)\b.*)?$
    | START[ ]TRANSACTION | SAVEPOINT[ ]n$ | RELEASE[ ]SAVEPOINT | SET[ ](?:LOCAL[ ]|SESSION[ ])?{_NAME}[ ](?:TO|o)[ ]
    | (?:CREATE|ALTER|DROP)[ ](?:OR[ ]REPLACE[ ])?(?:UNIQUE[ ]|TEMP[ ]|TEMPORARY[ ]|UNLOGGED[ ]|MATERIALIZED[ ])?
      (?:TABLE|INDEX|VIEW|SCHEMA|SEQUENCE|TYPE|EXTENSION|FUNCTION|PROCEDURE|TRIGGER|POLICY|ROLE|USER|DATABASE|DOMAIN)
      [ ](?:IF[ ]|CONCURRENTLY[ ]|ONLY[ ]|ON[ ])?[nhIN]
    | (?:LISTEN|UNLISTEN|NOTIFY|SHOW)[ ]{_NAME}(?:[ ],[ ]['$])?$
    | (?:TRUNCATE|LOCK)[ ](?:TABLE[ ])?(?:ONLY[ ])?{_NAME}\b | REFRESH[ ]MATERIALIZED[ ]VIEW | DO[ ]'
    | CALL[ ]{_NAME}[ ]\( | COPY[ ](?:{_NAME}[ ].*\b(?:FROM|TO)\b|\() | EXPLAIN[ ] | COMMENT[ ]ON[ ]
    | (?:GRANT|REVOKE)[ ].*\bON\b | (?:VACUUM|ANALYZE)\b | DECLARE[ ]n[ ].*\bCURSOR\b
    """,
    re.VERBOSE | re.DOTALL,
)
_UTILITY_WORDS = frozenset(
    {
        "TRANSACTION",
        "WORK",
        "ISOLATION",
        "READ",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "SCHEMA",
        "TYPE",
    }
    | {"SEQUENCE", "EXTENSION", "PROCEDURE", "TRIGGER", "POLICY", "ROLE", "DATABASE", "DOMAIN", "LISTEN", "UNLISTEN"}
    | {"NOTIFY", "SHOW", "TRUNCATE", "REFRESH", "COPY", "COMMENT", "GRANT", "REVOKE", "VACUUM", "DECLARE", "CURSOR"}
)
_SIGNS = re.compile(r"[$o*]|\bn \. n\b")  # what prose has not
_COMPARISON = re.compile(r"[nh] o [$1'nh]")
_ARTICLES = frozenset({"the", "your", "an", "this", "that", "these", "those", "my", "our", "their", "its", "any"})


def is_statement(sql: str) -> bool:
    """Whether *sql*, with its parameters as $n and holes in place of what is unknown, is meant as a statement."""
    read = lexer.significant(sql)
    first = next((token.text for token in read if token.kind == "word"), "")
    if first.isupper() and _UTILITY.match(_shape(read, _KEY_WORDS | _UTILITY_WORDS)):
        return not _is_label(sql)
    shape = _shape(read, _KEY_WORDS)
    if not _STATEMENT.match(shape) or re.search(r"\bn n n\b", shape) or _has_article(read, shape):
        return False
    if shape == "UPDATE h":
        return first.isupper()
    return first.isupper() or first.islower() or _SIGNS.search(shape) is not None


def _shape(read: Sequence[Token], key_words: frozenset[str]) -> str:
    return _FIELD.sub("h ", " ".join(_letter(token, key_words) for token in read))


_FIELD = re.compile(r"(?:\{ )+[^{}]*(?:\}(?: |$))+")  # {name} of Python's format, {{ … }} of a template


def _letter(token: Token, key_words: frozenset[str]) -> str:
    if token.kind == "word":
        word = token.text.upper()
        return "h" if HOLE in word else word if word in key_words else "n"
    if token.kind == "operator":
        return "*" if token.text == "*" else "o"
    return {"quoted": "n", "number": "1", "string": "'", "parameter": "$"}.get(token.kind, token.text)


def _is_label(sql: str) -> bool:
    """CREATE USER, SHOW MORE: what buttons say in capitals."""
    return sql.isupper() and not re.search(r"[=('$._*\d]|^\s*(BEGIN|START|COMMIT|END|ROLLBACK)\b", sql)


def _has_article(read: Sequence[Token], shape: str) -> bool:
    articles = _ARTICLES if _SIGNS.search(shape) else _ARTICLES | {"a"}
    return any(
        token.kind == after.kind == "word" and token.text.lower() in articles and after.text.upper() not in _KEY_WORDS
        for token, after in itertools.pairwise(read)
    )


def is_continuation(sql: str) -> bool:
    """Whether *sql* is what other code puts after the beginning of a statement: `` WHERE id = $1``, `` LIMIT 10``."""
    read = lexer.significant(sql)
    start = next((index for index, token in enumerate(read) if token.kind == "word" and HOLE not in token.text), None)
    if start is None or read[start].text.upper() not in _CLAUSES or any(t.kind == "other" for t in read[:start]):
        return False
    shape = _shape(read, _KEY_WORDS)
    return not re.search(r"\bn n n\b", shape) and (read[start].text.isupper() or _COMPARISON.search(shape) is not None)


def is_incomplete(statement: Statement) -> bool:
    """Whether this is the beginning of a statement: cut off, or a SELECT of columns that has no FROM."""
    return (
        statement.truncated
        or _COLUMNS_OF_NOTHING.match(_shape(lexer.significant(statement.sql), _KEY_WORDS)) is not None
    )


_COLUMNS_OF_NOTHING = re.compile(r"SELECT (?!.*\bFROM\b)(?:.*(?<!AS )(?<!:: )\bn\b(?! [('.])|.*\*$)")
