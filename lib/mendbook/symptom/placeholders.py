"""Parameters as clients write them, turned into PostgreSQL's ``$1``.

Which characters mark a parameter depends on where they stand, for PostgreSQL has operators of the same characters
(``?``, ``?|``, ``@>``, ``%``), casts (``::``) and array slices (``[1:2]``). The rules:

- ``?`` is a parameter where an operand is expected (after an operator, a comma, ``(``, ``WHERE`` …), and the jsonb
  operator where an operator is expected (after a column, a value, ``)``). Beside a ``$1`` it is always the operator.
  JDBC writes the operators ``??``, ``??|`` and ``??&``, Knex writes ``\\?``.
- ``%s`` and ``@name`` are parameters unless there is a ``$1`` or they touch the operand before them (``a%s``).
  Where there is a ``%s`` or ``%(name)s``, every ``%%`` is one ``%``, in strings too: so psycopg reads it.
- ``:name`` is a parameter, save that inside brackets after an operand, or before a number, its colon is a slice's.
- ``{0}``, ``#{name}``, ``$(name)`` and ``${name}`` have no other meaning in SQL.
- After ``IN``, a lone parameter of a client's own style gets parentheses: clients put a whole list there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mendbook import lexer
from mendbook.lexer import Token


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One place in a statement that takes a value."""

    number: int  # n of $n in the normalised statement; the same for every place of one name
    style: str  # "$1", "?", "?1", ":name", ":1", "%s", "%(name)s", "@name", "{0}", "#{name}", "$(name)"; "??" a name
    name: str | None  # name or number as written; None for "?", "??" and "%s"
    start: int  # where it stands in the statement as it was written, in characters


_PLACEHOLDER = re.compile(
    r"""
      (?P<percent>%(?:\((?P<percent_name>[^()]+)\))?[sbt](?!\w))
    | (?P<identifier>\?\?(?![|&]))
    | (?P<question>\?(?P<question_name>[0-9]*))
    | (?P<colon>:(?:'(?P<psql_name>\w+)'|(?P<colon_name>\w+)))
    | (?P<at>@(?P<at_name>\w+))
    | (?P<brace>\{(?P<brace_name>[0-9]+)\})
    | (?P<hash>\#\{(?P<hash_name>[\w.]+)\})
    | (?P<dollar>\$(?:\((?P<round_name>\w+)\)|\{(?P<curly_name>\w+)\}))
    """,
    re.VERBOSE,
)
_SUSPECT = re.compile(r"[?%@{]|(?<!:):(?![:=])|\$[({]")  # where none of these is, only $1 can be a parameter
_MARKS = frozenset("?%@#")  # those of them that are characters of operators
_AMBIGUOUS = frozenset({"percent", "identifier", "question", "at"})
_JDBC = {"??": "?", "??|": "?|", "??&": "?&"}

# Operators of PostgreSQL, hstore, ltree and pg_trgm that end like a placeholder would begin.
_OPERATORS = frozenset(
    {"?", "@?", "%", "%%", "#", "##", "?#", "%#", "@", "@@", "@@@", "<@", "^@", "?@", "@-@", "?<@", "^<@", "^?@"}
)

# Key words that an operand follows.
_OPERAND_AFTER = frozenset(
    {"ALL", "AND", "ANY", "ARRAY", "BETWEEN", "BY", "CASE", "DEFAULT", "DISTINCT", "ELSE", "ESCAPE", "FIRST", "FOR"}
    | {"FROM", "HAVING", "ILIKE", "IN", "INTERVAL", "INTO", "IS", "JOIN", "LIKE", "LIMIT", "NEXT", "NOT", "OFFSET"}
    | {"ON", "OR", "RANGE", "RETURN", "RETURNING", "ROWS", "SELECT", "SET", "SOME", "SYMMETRIC", "TABLE", "THEN"}
    | {"TO", "UPDATE", "USING", "VALUES", "WHEN", "WHERE", "ZONE"}
)


def expects_operand(before: Token | None) -> bool:
    """Whether a value may stand right after the token *before* (None at the start of the text)."""
    if before is None or before.kind == "operator":
        return True
    if before.kind == "punctuation":
        return before.text not in (")", "]", ".", "::")
    return before.kind == "word" and before.text.upper() in _OPERAND_AFTER


@functools.lru_cache(maxsize=8)  # asked for whether a text is SQL at all, and again for the statement in it
def to_numbered(sql: str) -> tuple[str, tuple[Parameter, ...]]:
    """Return *sql* with every parameter as ``$n``, and the parameters in the order in which they stand."""
    if not _SUSPECT.search(sql):
        return sql, tuple(_own(token) for token in lexer.significant(sql) if token.kind == "parameter")
    numbering = _Numbering(sql)
    pieces = list(numbering.pieces())
    if any(parameter.style.startswith("%") for parameter in numbering.parameters):
        pieces = [piece.replace("%%", "%") for piece in pieces]
    return "".join(pieces), tuple(numbering.parameters)


class _Numbering:
    """One pass over a statement."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        own = (
            [int(token.text[1:]) for token in lexer.significant(sql) if token.kind == "parameter"] if "$" in sql else []
        )
        self.has_own = bool(own)
        self.last = max(own, default=0)
        self.numbers: dict[tuple[str, str], int] = {}
        self.parameters: list[Parameter] = []
        self.before: Token | None = None  # the last token that is no space and no comment
        self.brackets = 0

    def pieces(self) -> Iterator[str]:
        """Yield the normalised statement in pieces."""
        position, size = 0, len(self.sql)
        while position < size:
            found = None
            for token in lexer.tokens(self.sql, position):
                found = self._placeholder(token)
                if found:
                    # What follows a placeholder is read anew: the token that it began in may reach beyond it.
                    yield self.sql[token.start : found.start()] + self._numbered(found)
                    break
                yield self._kept(token)
            position = found.end() if found else size

    def _kept(self, token: Token) -> str:
        """Take *token* for what it is in PostgreSQL."""
        if token.kind in ("space", "comment"):
            return token.text
        if token.text == "\\" and self.sql.startswith("?", token.end):
            return ""
        if token.kind == "parameter":
            self.parameters.append(_own(token))
        after_operand = not expects_operand(self.before)
        self.brackets += (token.text == "[") - (token.text == "]")
        named = self.before is not None and self.before.text == "." and token.kind == "word"
        self.before = token._replace(kind="quoted") if named else token  # after a dot, a key word is a name
        return _JDBC.get(token.text, token.text) if after_operand and token.kind == "operator" else token.text

    def _placeholder(self, token: Token) -> re.Match[str] | None:
        """Find the placeholder that *token* is the beginning of, or ends in the beginning of."""
        if token.kind == "operator" and not _MARKS.isdisjoint(token.text):
            return self._in_operator(token)
        if token.text == ":" and not self._is_slice(token):
            return _PLACEHOLDER.match(self.sql, token.start)
        if token.kind == "other" and token.text in "{$":
            return _PLACEHOLDER.match(self.sql, token.start)
        return None

    def _in_operator(self, token: Token) -> re.Match[str] | None:
        expects = expects_operand(self.before)
        if not expects and token.text in _JDBC:
            return None
        for offset in range(len(token.text)):
            found = _PLACEHOLDER.match(self.sql, token.start + offset)
            if found and self._is_meant(found, token, offset, expects):
                return found
        return None

    def _is_meant(self, found: re.Match[str], token: Token, offset: int, expects: bool) -> bool:
        """Whether *found*, at *offset* in the operator *token*, is a placeholder and not the operator's own end."""
        kind = found.lastgroup
        if kind in _AMBIGUOUS and self.has_own:
            return False
        if kind == "percent":
            escapes = offset - len(token.text[:offset].rstrip("%"))
            return escapes % 2 == 0 and (offset > 0 or expects or self._stands_apart(token))
        if offset:
            return expects or token.text not in _OPERATORS
        return expects or kind == "hash" or (kind == "at" and self._stands_apart(token))

    def _stands_apart(self, token: Token) -> bool:
        return self.before is None or self.before.end < token.start

    def _is_slice(self, token: Token) -> bool:
        to_number = self.sql[token.end : token.end + 1].isdigit()
        return self.brackets > 0 and (to_number or not expects_operand(self.before))

    def _numbered(self, found: re.Match[str]) -> str:
        kind = str(found.lastgroup)
        name = next((value for key, value in found.groupdict().items() if key.endswith("_name") and value), None)
        number = self.numbers.get((kind, name)) if name else None
        if number is None:
            number = self.last = self.last + 1
        if name:
            self.numbers[kind, name] = number
        self.parameters.append(Parameter(number=number, style=_style(found[0], name), name=name, start=found.start()))
        list_follows_in = self.before is not None and self.before.kind == "word" and self.before.text.upper() == "IN"
        self.before = Token("parameter", found[0], found.start(), found.end())
        after = " " if self.sql[found.end() : found.end() + 1].isalnum() else ""  # "?and" is fine, "$1and" is not
        return f"(${number}){after}" if list_follows_in else f"${number}{after}"


def _own(token: Token) -> Parameter:
    return Parameter(number=int(token.text[1:]), style="$1", name=token.text[1:], start=token.start)


def _style(written: str, name: str | None) -> str:
    """How the client writes its parameters: the placeholder with its name or number made general."""
    if name is None:
        return written
    general = ("0" if written[0] == "{" else "1") if name.isdigit() else "name"
    return written.replace(name, general)
