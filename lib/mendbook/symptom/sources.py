"""The SQL of one source file: statements that a server can judge, and SQL that only the running program completes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from mendbook import lexer
from mendbook.lexer import Piece, Token
from mendbook.symptom import literals, placeholders, recognition, statements
from mendbook.symptom.literals import Expression, Fragment
from mendbook.symptom.recognition import HOLE
from mendbook.symptom.statements import Statement

_VERBS = (
    "select|insert|update|delete|merge|with|values|begin|commit|rollback|start|savepoint|release|set|create|alter|drop"
    "|listen|unlisten|notify|show|truncate|lock|refresh|do|call|copy|explain|comment|grant|revoke|vacuum|analyze|declare"
)
_CLAUSES = "where|from|join|order|group|having|limit|offset|and|or|returning|union|on|using|into"
# Only a file, and in it a literal, with one of these words can hold SQL.
_WORDS = re.compile(rf"\b(?:{_VERBS}|{_CLAUSES})\b".encode(), re.IGNORECASE)
_BEGINNING = re.compile(rf"(?:[\s({HOLE}]|--[^\n]*\n|/\*.*?\*/)*+(?:{_VERBS})\b", re.IGNORECASE | re.DOTALL)
_DIRECTIVE = re.compile(r"%[-+ #0-9.*$]*[a-zA-Z]|\{[^{}\s]*\}")  # of printf, and of Python, Rust and .NET
_NUMBER_DIRECTIVE = re.compile(r"\$%d|\$\{\}")  # "$%d": the number of a parameter
_BEFORE = f" \t\r\n{HOLE}"
_DEFINITIONS = ("CREATE ", "ALTER ", "DROP ")
_SOURCE_SHOWN = 60  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A statement in a source file."""

    file: str  # relative to the tree, with slashes
    line: int  # 1-based, of the statement's first word
    language: str
    statement: Statement
    bound: bool = False  # its parameters are the values of a template, and one may turn out to be more SQL
    made: frozenset[str] = field(default=frozenset(), repr=False)  # the names in its script's CREATE, ALTER, DROP

    @property
    def sql(self) -> str:
        """The statement as it stands in the source."""
        return self.statement.written

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unjudged:
    """SQL that no server can judge as it stands in the source."""

    file: str
    line: int
    language: str
    sql: str  # with the source of what is filled in at run time
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def may_hold_sql(source: bytes) -> bool:
    """Whether there is a word in *source* that SQL cannot do without."""
    return _WORDS.search(source) is not None


def language(suffix: str) -> str | None:
    """Return the name of the language whose files end in *suffix*, None if it is not read here."""
    return "SQL" if suffix == ".sql" else literals.language(suffix)


def read(file: str, suffix: str, source: bytes) -> Iterator[Place | Unjudged]:
    """Yield the SQL in the *source* of *file*, in its order; *suffix* tells the language. No bytes make it raise."""
    if suffix == ".sql":
        whole = Fragment(source.decode(errors="replace"), 0, "")
        yield from _Text(file, "SQL", Expression((whole,), "", "")).read()
        return
    for expression in literals.read(suffix, source, may_hold_sql):
        text = _Text(file, literals.language(suffix) or "", expression)
        if text.is_statement():
            yield from text.read()
        elif text.continues():
            yield text.continuation()


class _Text:
    """A string expression as one text: parameters in place of values, marks in place of what is unknown."""

    def __init__(self, file: str, language: str, expression: Expression) -> None:
        self.file, self.language, self.expression = file, language, expression
        self.values: dict[str, str] = {}  # parameter → the source of its value
        self.unknown: list[str] = []  # the sources of what the marks stand for
        texts = " ".join(fragment.text for fragment in expression.fragments if not fragment.hole)
        self.last = max(map(int, re.findall(r"\$(\d{1,5})\b", texts)), default=0)  # parameter with a number so far
        parts = list(self._parts())
        self.starts = [0, *accumulate(map(len, parts))]
        self.sql = "".join(parts)

    def _parts(self) -> Iterator[str]:
        before = ""
        for fragment in self.expression.fragments:
            part = fragment.text
            if fragment.hole and before.endswith("$"):  # the number of a parameter
                part = self._parameter()[1:]
            elif fragment.hole == "value":
                part = self._parameter()
                self.values[part] = fragment.text
            elif fragment.hole:
                part = HOLE
                self.unknown.append(fragment.text)
            elif self.expression.use == "formatted":
                part = _NUMBER_DIRECTIVE.sub(lambda _: self._parameter(), part)
            yield part
            before = part

    def _parameter(self) -> str:
        self.last += 1
        return f"${self.last}"

    def line(self, piece: Piece) -> int:
        """Return the 1-based line of the file on which *piece* begins; an escaped line break is none in the file."""
        fragments = self.expression.fragments
        if len(fragments) == 1:
            return fragments[0].row + piece.line
        index = min(bisect_right(self.starts, piece.start), len(fragments)) - 1
        start, fragment = self.starts[index], fragments[index]
        return fragment.row + 1 + (0 if fragment.hole else fragment.text.count("\n", 0, piece.start - start))

    def is_statement(self) -> bool:
        """Whether this is SQL, from its beginning."""
        if not _BEGINNING.match(self.sql):
            return False
        return recognition.is_statement(placeholders.to_numbered(self.sql.lstrip(_BEFORE).rstrip())[0])

    def read(self) -> Iterator[Place | Unjudged]:
        """Yield the statements of the text."""
        unknown = iter(self.unknown)
        pieces = [piece for piece in lexer.split(self.sql) if piece.kind == "sql"]
        made = _made(pieces)
        for piece in pieces:
            statement = statements.normalise(piece.text)
            filled = [next(unknown, "") for _ in range(piece.text.count(HOLE))]
            if reason := self._obstacle(statement, filled):
                yield self._unjudged(piece, filled, reason)
            else:
                yield Place(
                    file=self.file,
                    line=self.line(piece),
                    language=self.language,
                    statement=statement,
                    bound=bool(self.values),
                    made=made,
                )

    def _unjudged(self, piece: Piece, filled: Sequence[str], reason: str) -> Unjudged:
        sources = iter(filled)
        sql = re.sub(HOLE, lambda _: next(sources, ""), piece.text)
        return Unjudged(file=self.file, line=self.line(piece), language=self.language, sql=sql, reason=reason)

    def _obstacle(self, statement: Statement, filled: Sequence[str]) -> str | None:
        """Say why *statement* cannot be judged, None if it can."""
        use, user = self.expression.use, self.expression.user
        if filled:
            return f"put together at run time with {_shown(filled[0])}"
        if use == "changed" or (use == "formatted" and _DIRECTIVE.search(statement.written)):
            return f"changed at run time by {user}"
        if "\0" in statement.sql:
            return "holds a NUL character"
        read = lexer.significant(statement.sql)
        for index, token in enumerate(read):
            if token.text in self.values and not _stands_for_value(read, index):
                return f"put together at run time with {_shown(self.values[token.text])}"
        if gap := _gap(statement, read):
            return f"{gap} is filled in at run time"
        if self.language != "SQL" and recognition.is_incomplete(statement):
            return "not complete: more is added at run time"
        return None

    def continues(self) -> bool:
        """Whether this is put behind the beginning of a statement that stands elsewhere."""
        behind = self.expression.use == "appended" or self.sql.lstrip().startswith(HOLE)
        return behind and recognition.is_continuation(placeholders.to_numbered(self.sql)[0])

    def continuation(self) -> Unjudged:
        """The text as a part of some statement."""
        start = len(self.sql) - len(self.sql.lstrip())
        line = self.sql.count("\n", 0, start) + 1
        piece = Piece(kind="sql", text=self.sql.strip(), line=line, start=start)
        return self._unjudged(piece, self.unknown, "added to a statement at run time")


def _made(pieces: Sequence[Piece]) -> frozenset[str]:
    """Return the names in the statements of a script that define something."""
    definitions = (piece.text for piece in pieces if piece.verb.startswith(_DEFINITIONS))
    words = (token for sql in definitions for token in lexer.tokens(sql) if token.kind in ("word", "quoted"))
    return frozenset(statements.fold(word.text) for word in words)


def _shown(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= _SOURCE_SHOWN else f"{line[:_SOURCE_SHOWN]}…"


_NO_VALUE_AFTER = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "ONLY", "BY", "VALUES", "IN", "SET", "RETURNING"}
)
_CONDITION_AFTER = frozenset({"WHERE", "AND", "OR", "NOT", "ON", "HAVING", "SELECT"})
_COMPARES = frozenset({"IS", "IN", "BETWEEN", "LIKE", "ILIKE", "NOT", "SIMILAR", "AS", "AT", "COLLATE"})


def _stands_for_value(read: Sequence[Token], index: int) -> bool:
    """Whether a template's value at *index* is one: a whole condition, a name or a list may stand there instead."""
    before = read[index - 1] if index else None
    word = before.text.upper() if before is not None and before.kind == "word" else ""
    earlier = [token.text.upper() for token in read[max(index - 6, 0) : index - 1]]
    if not placeholders.expects_operand(before):
        return False
    if word in _NO_VALUE_AFTER:
        return word == "FROM" and earlier[-1:] == ["DISTINCT"]
    if word not in _CONDITION_AFTER or (word == "AND" and "BETWEEN" in earlier):
        return True
    after = read[index + 1] if index + 1 < len(read) else None
    if after is None:
        return word == "SELECT"
    return after.kind == "operator" or after.text in ("::", ",") or after.text.upper() in _COMPARES


_FIELD = re.compile(r"\{[^{}]*\}|\{\{[^{}]*\}\}")


def _gap(statement: Statement, read: Sequence[Token]) -> str | None:
    """Return what in *statement* stands for a name or a part of the text, as templates and psql's variables do."""
    if any(parameter.style == "??" for parameter in statement.parameters):
        return "??"
    for token, after in zip(read, [*read[1:], None], strict=True):
        if token.text == "{" and token.kind == "other":
            field = _FIELD.match(statement.sql, token.start)
            return _shown(field[0]) if field else "{"
        if token.text == ":" and after is not None and after.kind == "quoted" and after.start == token.end:
            return f":{after.text}"
    return None
