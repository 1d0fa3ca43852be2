"""What an error says beside its message: fields with names, labelled lines, the line of the statement that failed.

Drivers print the fields of the server's error report (manual, section 54.8 "Error and Notice Message Fields") as
JSON, as a JavaScript, Python, Elixir, Go or Rust object, or one to a line; the server's log and libpq label lines.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mendbook.symptom import grammar

_KEYS = {
    "sqlstate": "code pgcode pg_code sqlstate sqlState SQLState SqlState SQLSTATE state_code original_code C",
    "severity": "severity error_severity Severity S V",
    "routine": "routine Routine R",
    "schema": "schema schema_name schemaName SchemaName Schema s",
    "table": "table table_name tableName TableName Table t",
    "column": "column column_name columnName ColumnName Column c",
    "constraint": "constraint constraint_name constraintName ConstraintName Constraint n",
    "where": "where context Where W",
    "hint": "hint Hint H",
    "detail": "detail details Detail D",
    "inner": "internalQuery internal_query InternalQuery q",
    "sql": "sql query statement",
    "position": "position cursor_position Position P internalPosition internal_position InternalPosition",
}
_REPORT = {  # psql and libpq with VERBOSITY verbose
    "SCHEMA NAME": "schema",
    "TABLE NAME": "table",
    "COLUMN NAME": "column",
    "CONSTRAINT NAME": "constraint",
}
_BY_KEY = {key: name for name, keys in _KEYS.items() for key in keys.split()}
_STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`(?:[^`\\]|\\.)*`'
_FIELD = re.compile(
    rf"(?<![\w.$%\[(])(?P<quote>[\"']?)(?P<key>{'|'.join(sorted(_BY_KEY, key=len, reverse=True))})(?P=quote)"
    rf"\s?(?::|=>|=)\s?(?:Some\(\s?|SqlState\(|Some\(SqlState\()?"
    rf"(?:(?P<string>{_STRING})(?P<more>(?:\s*\+\s*(?:{_STRING}))*)|(?P<word>[\w:]{{1,64}}))"
)
_MORE = re.compile(_STRING)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_BARE = frozenset({"sqlstate", "severity", "position"})  # may come without quotation marks
_LINED = re.compile(r"^[ \t]+(SchemaName|TableName|ColumnName|ConstraintName|Routine): (.+)$", re.MULTILINE)  # Npgsql
_EMPTY = frozenset({"", "undefined", "null", "nil", "None", "NULL"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One named value, unquoted."""

    name: str  # a name of _KEYS, or a label: DETAIL, HINT, QUERY, CONTEXT, STATEMENT, LOCATION, or of _REPORT
    key: str  # as the text has it
    value: str
    start: int  # offset in the text
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """The line of a statement that libpq shows above its caret."""

    sql: str  # with three dots where it was cut
    number: int  # line of the statement, from 1
    caret: int | None  # offset in sql of what failed
    start: int
    end: int


def named(text: str) -> Iterator[Field]:
    """The fields of error reports in *text*; single letters only where they are a report's (pg8000, the protocol)."""
    letters = re.search(r"['\"][SV]['\"]: ['\"]", text) is not None
    for match in _FIELD.finditer(text):
        key, name = match["key"], _BY_KEY[match["key"]]
        if len(key) == 1 and not (letters and match["quote"]):
            continue
        string = match["string"]
        if string is None and name not in _BARE:
            continue
        group = "string" if string is not None else "word"
        value = _joined(match) if string is not None else match["word"]
        if value not in _EMPTY:
            quoted = string is not None
            yield Field(
                name=name, key=key, value=value, start=match.start(group) + quoted, end=match.end(group) - quoted
            )
    for match in _LINED.finditer(text):
        yield Field(
            name=_BY_KEY[match[1]], key=match[1], value=match[2].strip(), start=match.start(2), end=match.end(2)
        )


def _joined(match: re.Match[str]) -> str:
    """A string literal and those added to it with +, as util.inspect breaks long ones."""
    literals = [match["string"], *_MORE.findall(match["more"] or "")]
    return "".join(_ESCAPE.sub(_meant, literal[1:-1]) for literal in literals)


def _meant(escape: re.Match[str]) -> str:
    if escape[1]:
        character = chr(int(escape[1], 16))
        return "\ufffd" if "\ud800" <= character <= "\udfff" else character
    return _ESCAPED.get(escape[2], escape[2])


def labelled(text: str) -> Iterator[Field]:
    """The labelled lines of the server's log, of libpq and of psql, in any language; an indented line goes on."""
    pattern, names = _labels()
    for match in pattern.finditer(text):
        value = re.sub(r"\n\t", "\n", match[2]).strip()
        name = names[match[1]]
        yield Field(name=_REPORT.get(name, name), key=match[1], value=value, start=match.start(2), end=match.end(2))


def excerpts(text: str) -> Iterator[Excerpt]:
    """The excerpts of failing statements in *text*: ``LINE 1: …`` and the caret below."""
    for match in _lines().finditer(text):
        number, line = next((number for number in match.groups()[:-2] if number), "1"), match["line"].rstrip()
        caret = None
        if match["caret"] is not None:
            caret = len(match["caret"]) - (match.start("line") - match.start())
        yield Excerpt(
            sql=line,
            number=int(number),
            caret=caret,
            start=match.start("line"),
            end=match.start("line") + len(line),
        )


@functools.cache
def _labels() -> tuple[re.Pattern[str], dict[str, str]]:
    names = {label: name for language in grammar.languages() for label, name in language.labels.items()}
    words = "|".join(re.escape(label) for label in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])({words}) ?[:：] {{1,2}}([^\n]*(?:\n\t[^\n]*)*)"), names


@functools.cache
def _lines() -> re.Pattern[str]:
    forms = dict.fromkeys(form for language in grammar.languages() for form in language.lines)
    heads = "|".join(re.escape(form).replace(r"\{\}", r"(\d+)") for form in forms)
    return re.compile(rf"(?:{heads}) ?(?P<line>[^\n]*)(?:\n(?P<caret>[ \t]*)\^)?")
