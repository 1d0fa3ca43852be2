"""`Statement`: one SQL statement as the server can Parse it, and the tables it names.

What a statement names is read from its tokens. That is enough to tell which table an alias stands for; whether a name
exists, and in which schema, only the server can say.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql as composing

from mendbook import lexer
from mendbook.lexer import Token
from mendbook.symptom import placeholders
from mendbook.symptom.placeholders import Parameter

Table = tuple[str | None, str]  # schema (None where it is left to search_path) and table, both folded

NAME_BYTES = 63  # NAMEDATALEN - 1: PostgreSQL cuts longer identifiers, section 4.1.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement, ready for PREPARE."""

    sql: str  # with its parameters as $1, $2 …
    written: str  # as it was found
    verb: str  # INSERT, ALTER TABLE …: see lexer.verb()
    tables: Mapping[str, Table] = field(hash=False)  # see tables()
    parameters: tuple[Parameter, ...]  # in the order in which they stand
    truncated: bool  # its end, its beginning or a part of its middle is missing


def normalise(sql: str) -> Statement:
    """Return the `Statement` that *sql* is; any text gives one, none raises."""
    written = sql.strip().removesuffix(";").rstrip()
    numbered, parameters = placeholders.to_numbered(written)
    return Statement(
        sql=numbered,
        written=written,
        verb=lexer.verb(lexer.significant(numbered)),
        tables=tables(numbered),
        parameters=parameters,
        truncated=is_truncated(numbered),
    )


# Names


def fold(name: str) -> str:
    """Return the identifier that PostgreSQL makes of *name* as written in SQL, quoted or not (section 4.1.1).

    Without quotes A to Z become small and other letters stay; both forms are cut to 63 bytes.
    """
    if name[:1] == '"' and len(name) > 1:
        folded = name[1:-1].replace('""', '"') if name.endswith('"') else name[1:]
    elif name[:3].upper() == 'U&"':
        folded = _UNICODE_ESCAPE.sub(_unescape, fold(name[2:]))
    else:
        folded = name.translate(_LOWER)
    encoded = folded.encode(errors="replace")
    return folded if len(encoded) <= NAME_BYTES else encoded[:NAME_BYTES].decode(errors="ignore")


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UNICODE_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|(\\))")


def _unescape(match: re.Match[str]) -> str:
    if match[3]:
        return "\\"
    code = int(match[1] or match[2], 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def parts(name: str) -> tuple[str, ...]:
    """Return the folded parts of a qualified name such as ``auth."Users".id``; ``()`` if *name* is no such name."""
    read = list(lexer.tokens(name.strip()))
    names, dots = read[::2], read[1::2]
    well_formed = all(token.kind in ("word", "quoted") and token.closed for token in names)
    if not well_formed or len(names) != len(dots) + 1 or any(token.text != "." for token in dots):
        return ()
    return tuple(fold(token.text) for token in names)


def quote(*names: str) -> str:
    """Return a qualified name as SQL; each part is taken as it is, and quoted."""
    return composing.Identifier(*names).as_string(None)


# Truncation

_DANGLING = frozenset(
    {"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ON", "JOIN", "INNER", "LEFT", "RIGHT", "OUTER", "CROSS", "SET"}
    | {"VALUES", "INTO", "BY", "HAVING", "GROUP", "ORDER", "LIMIT", "IN", "LIKE", "ILIKE", "BETWEEN", "AS", "WITH"}
    | {"UNION", "DISTINCT", "CASE", "WHEN", "THEN", "ELSE", "RETURNING", "INSERT", "UPDATE", "IS", "USING", "CAST"}
)
_NEEDED = {
    "INSERT": frozenset({"VALUES", "SELECT", "DEFAULT", "TABLE", "WITH"}),
    "UPDATE": frozenset({"SET"}),
    "DELETE": frozenset({"FROM"}),
}


def is_truncated(sql: str) -> bool:
    """Whether part of *sql* is missing: a log cut it, or it is a fragment that other code continues.

    Seen by a token that is not closed, parentheses without their end, an ellipsis, a last word or operator that
    something must follow, or a clause that its kind of statement cannot do without.
    """
    read = lexer.significant(sql)
    if any(not token.closed for token in lexer.tokens(sql, read[-1].start if read else 0)):
        return True
    if not read:
        return False
    last = read[-1]
    return (
        (last.kind == "operator" and last.text != "*")
        or last.text in (",", "(", "[", ".", "::", ":=")
        or _dangles(last, read[-2:-1])
        or _unbalanced(read)
        or _has_ellipsis(read)
        or _lacks_clause(read)
    )


def _dangles(last: Token, before: Sequence[Token]) -> bool:
    """Whether *last* is a key word that something must follow; FOR UPDATE and DEFAULT VALUES are complete."""
    complete = any(token.text.upper() in ("FOR", "KEY", "DEFAULT") for token in before)
    return last.kind == "word" and last.text.upper() in _DANGLING and not complete


def _unbalanced(read: Sequence[Token]) -> bool:
    opened = sum((token.text == "(") - (token.text == ")") for token in read if token.kind == "punctuation")
    return opened != 0


def _has_ellipsis(read: Sequence[Token]) -> bool:
    dots = any(a.text == ".." and b.text == "." and a.end == b.start for a, b in itertools.pairwise(read))
    return dots or any("…" in token.text for token in read if token.kind == "word")


def _lacks_clause(read: Sequence[Token]) -> bool:
    words = {token.text.upper() for token in read if token.kind == "word"}
    needed = _NEEDED.get(lexer.verb(read))
    return needed is not None and words.isdisjoint(needed)


# Tables

_NO_ALIAS = frozenset(
    {"AND", "AS", "CASE", "CROSS", "DEFAULT", "DO", "ELSE", "END", "EXCEPT", "FETCH", "FOR", "FROM", "FULL", "GROUP"}
    | {"HAVING", "IN", "INNER", "INTERSECT", "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIMIT", "NATURAL", "NOT"}
    | {"OFFSET", "ON", "ONLY", "OR", "ORDER", "OVERRIDING", "RETURNING", "RIGHT", "SELECT", "SET", "TABLESAMPLE"}
    | {"THEN", "UNION", "UPDATE", "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH"}
)
_ENDS_LIST = frozenset(
    {"WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"}
    | {"FOR", "SET", "RETURNING", "SELECT", "VALUES", "WHEN"}
)
_BEFORE_NAME = frozenset({"ONLY", "LATERAL", "IF", "NOT", "EXISTS"})
_NO_NAME = _NO_ALIAS | _BEFORE_NAME | {"TABLE"}
_NO_TARGET_AFTER = frozenset({"FOR", "KEY", "ON", "DO", "THEN", "OR", "BEFORE", "AFTER", ","})
_NO_TARGET = frozenset({"SET", "ON", "OF", "OR"})
_QUERIES = frozenset({"SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "TABLE", "("})


def tables(sql: str) -> dict[str, Table]:
    """Return what each name in *sql* stands for: alias, or table name where there is none → (schema, table).

    Reads the lists of FROM, JOIN and USING and the targets of INSERT, UPDATE, DELETE, MERGE and of ``… TABLE``
    commands, at every depth. Names of common table expressions, subqueries and functions are no tables and left out;
    of two tables under the same name in different subqueries the first is given.
    """
    return _Tables(lexer.significant(sql)).read()


@dataclass(slots=True)
class _Level:
    """What is known of the statement at one level of parentheses."""

    query: bool = False  # a SELECT, UPDATE or DELETE stands here, so that FROM begins a list of tables
    wanted: str = ""  # what comes next is a table: "from" (may be a function), "into" or "table"; no alias for the last
    listing: bool = False  # a comma brings the next table
    using: bool = False  # USING brings tables: once, after DELETE or MERGE; after that it joins
    recursive: bool = False
    expressions: list[str] = field(default_factory=list)  # common table expressions of the queries here
    defines: str = ""  # the common table expression that the parentheses hold


class _Tables:
    """One pass over the tokens of a statement."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.upper = [token.text.upper() if token.kind in ("word", "punctuation") else "" for token in tokens]
        self.levels = [_Level()]
        self.defines = ""
        self.visible: Counter[str] = Counter()  # the common table expressions of all levels
        self.found: dict[str, Table] = {}

    def read(self) -> dict[str, Table]:
        position = 0
        while position < len(self.tokens):
            token, level = self.tokens[position], self.levels[-1]
            if token.kind == "punctuation":
                self._punctuation(token.text, level)
            elif level.wanted and self._is_name(position):
                position = self._table(position, level)
                continue
            elif token.kind == "word" and not self._is_qualified(position):
                self._keyword(position, level)
            position += 1
        return self.found

    def _word(self, position: int) -> str:
        return self.upper[position] if 0 <= position < len(self.upper) else ""

    def _is_qualified(self, position: int) -> bool:
        return self._word(position - 1) == "." and self._word(position - 2) != ".."  # not after an ellipsis

    def _punctuation(self, text: str, level: _Level) -> None:
        if text == "(":
            inner = _Level(defines=self.defines)
            if level.wanted:  # parentheses around tables that are joined, or a subquery
                inner.wanted, inner.listing, level.wanted = "from", True, ""
            self.levels.append(inner)
            self.defines = ""
        elif text == ")" and len(self.levels) > 1:
            closed = self.levels.pop()
            self.visible.subtract(closed.expressions)
            self._define(closed.defines)
        elif text == "," and level.listing:
            level.wanted = "from"
        elif text == ";":
            self.levels = [_Level()]
            self.visible.clear()

    def _define(self, name: str) -> None:
        if name:
            self.levels[-1].expressions.append(name)
            self.visible[name] += 1

    def _keyword(self, position: int, level: _Level) -> None:
        word, before, after = (self._word(position + step) for step in (0, -1, 1))
        if level.wanted and word in _BEFORE_NAME:
            return
        level.wanted = ""
        if word in _ENDS_LIST:
            level.listing = False
        if word in ("SELECT", "DELETE", "VALUES"):
            level.query = True
            level.using = word == "DELETE"
        elif word == "MERGE":
            level.using = True
        elif word == "RECURSIVE":
            level.recursive = True
        elif word == "AS":
            self._definition(position, level)
        elif word == "FROM" and self._begins_list(position, level):
            level.wanted, level.listing = "from", True
        elif word == "JOIN" or (word == "USING" and level.using):
            level.wanted, level.listing = "from", True
            level.using = level.using and word == "JOIN"
        elif word == "INTO" and before in ("INSERT", "MERGE"):
            level.wanted = "into"
        elif word == "UPDATE" and _is_target(before, after):
            level.wanted, level.query = "into", True
        elif word == "TABLE" and before != "RETURNS":
            level.wanted = "table"

    def _begins_list(self, position: int, level: _Level) -> bool:
        """Not so in EXTRACT(… FROM …) and IS DISTINCT FROM; so in the rest of a statement whose beginning was cut."""
        if self._word(position - 1) == "DISTINCT" and self._word(position - 2) in ("IS", "NOT"):
            return False
        return level.query or (len(self.levels) == 1 and self._word(0) in ("..", "FROM"))

    def _definition(self, position: int, level: _Level) -> None:
        """Note the name before ``AS [NOT] [MATERIALIZED] (`` if a WITH query follows."""
        ahead = position + 1
        while self._word(ahead) in ("NOT", "MATERIALIZED"):
            ahead += 1
        if self._word(ahead) != "(" or self._word(ahead + 1) not in _QUERIES:
            return
        name = position - 1
        if self._word(name) == ")":  # a list of column names
            while name > 0 and self._word(name) != "(":
                name -= 1
            name -= 1
        if name >= 0 and self.tokens[name].kind in ("word", "quoted"):
            self.defines = fold(self.tokens[name].text)
            if level.recursive:
                self._define(self.defines)

    def _is_name(self, position: int) -> bool:
        token = self.tokens[position]
        if token.kind == "word":
            return token.text.upper() not in _NO_NAME
        return token.kind == "quoted" and token.closed

    def _table(self, position: int, level: _Level) -> int:
        """Read a table and its alias; return the position after them."""
        names, position = [fold(self.tokens[position].text)], position + 1
        while self._word(position) == "." and position + 1 < len(self.tokens):
            names.append(fold(self.tokens[position + 1].text))
            position += 2
        wanted, level.wanted = level.wanted, ""
        if wanted == "from" and self._word(position) == "(":
            return position  # a function
        if position < len(self.tokens) and self.tokens[position].text == "*":
            position += 1
        table: Table = (names[-2] if len(names) > 1 else None, names[-1])
        alias = self._alias(position) if wanted != "table" else ""
        if len(names) > 1 or self.visible[names[0]] == 0:
            self.found.setdefault(alias or names[-1], table)
        return position

    def _alias(self, position: int) -> str:
        if self._word(position) == "AS":
            position += 1
        return fold(self.tokens[position].text) if position < len(self.tokens) and self._is_name(position) else ""


def _is_target(before: str, after: str) -> bool:
    """Whether UPDATE is followed by its table: not in FOR UPDATE, DO UPDATE SET, a trigger's events or a grant."""
    return before not in _NO_TARGET_AFTER and after not in _NO_TARGET
