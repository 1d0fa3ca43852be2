"""PostgreSQL's lexical structure: tokens of SQL text, and the statements of a script.

Facts are those of the manual, section 4.1 "Lexical Structure", with ``standard_conforming_strings`` on. Where a
script is cut into statements, the rules are psql's, since that is what scripts are written for: a semicolon inside
parentheses (``CREATE RULE … DO (a; b)``) or inside a ``BEGIN ATOMIC … END`` body does not end a statement.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "space", "comment", "word", "quoted", "string", "number", "parameter", "operator", "punctuation", "other"
]


class Token(NamedTuple):
    """One lexical unit: ``sql[start:end] == text``. A tuple and no dataclass, for there are 300,000 in a megabyte."""

    kind: Kind  # "quoted" is a quoted identifier; "other" a character that has no place in SQL
    text: str  # as written
    start: int  # offset in characters
    end: int
    closed: bool = True  # False for a comment, string or quoted identifier that the text ends in


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One part of a script, in the order of the script."""

    kind: Literal["sql", "meta", "data"]  # a statement, a psql meta-command, the rows of a COPY … FROM stdin
    text: str  # a statement comes without its semicolon and without comments around it
    line: int  # 1-based line of the script where the text begins
    start: int  # offset of the text in the script, in characters
    verb: str = ""  # of a statement: see verb()


# A quoted string goes on after white space that holds a line break: 'a'⏎'b' is one string (section 4.1.2.1).
_CONTINUED = r"'[ \t\f\v]*+(?:--[^\n\r]*+)?[\n\r](?:[ \t\n\r\f\v]++|--[^\n\r]*+[\n\r])*+'"
_STRING = rf"(?:[bBxXnN]|[uU]&)?'[^']*+(?:(?:''|{_CONTINUED})[^']*+)*+"
_ESCAPE_STRING = rf"[eE]'[^'\\]*+(?:(?:\\.|''|{_CONTINUED})[^'\\]*+)*+"
_QUOTED = r'(?:[uU]&)?"[^"]*+(?:""[^"]*+)*+'
_LETTER = r"A-Za-z_\x80-\U0010ffff"
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_PLAIN = r"(?:[+*<>=]|-(?!-)|/(?!\*))"
_OPERATOR = r"(?:[+*<>=~!@#%^&|`?]|-(?!-)|/(?!\*))"

# Group names are kinds; a trailing "_open" marks a token that the end of the text cuts off. An operator of several
# characters ends in + or - only if it also holds one of ~!@#%^&|`? (section 4.1.3); no name is longer than 63 bytes,
# and that limit keeps the search for such a character linear.
_MASTER = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f\v]+)
    | (?P<string>(?:{_STRING}|{_ESCAPE_STRING})')
    | (?P<string_open>{_STRING}\Z|{_ESCAPE_STRING}\\?\Z)
    | (?P<quoted>{_QUOTED}")
    | (?P<quoted_open>{_QUOTED}\Z)
    | (?P<word>[{_LETTER}][{_LETTER}0-9$]*)
    | (?P<comment>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<number>0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+
        |(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?)
    | (?P<punctuation>::|:=|\.\.|\\;|[,()\[\].;:])
    | (?P<operator>{_PLAIN}{{0,62}}+[~!@#%^&|`?]{_OPERATOR}{{0,62}}+|{_PLAIN}{{0,62}}(?!/\*)[*/<>=]|[-+])
    | (?P<parameter>\$[0-9]+)
    | (?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_COPY_END = re.compile(r"^\\\.[ \t]*\r?$\n?", re.MULTILINE)

_OBJECT_VERBS = frozenset({"CREATE", "ALTER", "DROP"})
_MODIFIERS = frozenset(
    {"OR", "REPLACE", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "UNIQUE"}
    | {"RECURSIVE", "CONSTRAINT", "TRUSTED", "PROCEDURAL"}
)
_TWO_WORD_OBJECTS = frozenset(
    {
        ("MATERIALIZED", "VIEW"),
        ("FOREIGN", "TABLE"),
        ("FOREIGN", "DATA"),
        ("EVENT", "TRIGGER"),
        ("ACCESS", "METHOD"),
        ("USER", "MAPPING"),
        ("DEFAULT", "PRIVILEGES"),
        ("TEXT", "SEARCH"),
        ("OPERATOR", "CLASS"),
        ("OPERATOR", "FAMILY"),
    }
)
_QUERY_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"})
_BODY_VERBS = frozenset({"CREATE FUNCTION", "CREATE PROCEDURE"})


def tokens(sql: str, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of *sql* from offset *start*; their texts joined are the input. Never raises; linear time."""
    position, size = start, len(sql)
    while position < size:
        for match in _MASTER.finditer(sql, position):  # matches adjoin: the last alternative takes any character
            kind: Any = match.lastgroup
            if kind in _SPECIAL:
                token = _special(sql, kind, match)
                yield token
                position = token.end
                break
            yield Token(kind, match[0], match.start(), match.end())
        else:
            return


_SPECIAL = frozenset({"block", "dollar", "string_open", "quoted_open"})


def _special(sql: str, kind: str, match: re.Match[str]) -> Token:
    """Return a token that the regular expression sees only the beginning of, or that the text ends in."""
    start, end = match.span()
    if kind == "block":
        end, closed = _end_of_comment(sql, end)
        return Token("comment", sql[start:end], start, end, closed)
    if kind == "dollar":
        found = sql.find(match[0], end)
        end = len(sql) if found < 0 else found + len(match[0])
        return Token("string", sql[start:end], start, end, found >= 0)
    return Token("quoted" if kind == "quoted_open" else "string", match[0], start, end, False)


@functools.lru_cache(maxsize=8)  # one statement is looked at in several ways, one after the other
def significant(sql: str) -> tuple[Token, ...]:
    """Return the tokens of *sql* without white space and comments."""
    return tuple(token for token in tokens(sql) if token.kind not in ("space", "comment"))


def _end_of_comment(sql: str, position: int) -> tuple[int, bool]:
    """Where the block comment opened before *position* ends, and whether it is closed; such comments nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end(), True
    return len(sql), False


def verb(statement: Sequence[Token]) -> str:
    """Return what kind of statement the tokens are, upper-cased: ``INSERT``, ``ALTER TABLE``; ``""`` without a word.

    After CREATE, ALTER and DROP the kind of object belongs to it, without modifiers such as OR REPLACE or UNIQUE.
    A statement that starts with WITH is called by what it does in the end.
    """
    words = [token.text.upper() for token in statement if token.kind == "word"]
    if not words:
        return ""
    if words[0] == "WITH":
        return _verb_after_with(statement)
    if words[0] not in _OBJECT_VERBS:
        return words[0]
    objects = [word for word in words[1:8] if word not in _MODIFIERS]
    return " ".join([words[0], *objects[: 2 if tuple(objects[:2]) in _TWO_WORD_OBJECTS else 1]])


def _verb_after_with(statement: Sequence[Token]) -> str:
    depth, before = 0, ""
    for token in statement:
        if token.kind in ("space", "comment"):
            continue
        text = token.text.upper()
        depth += (text == "(") - (text == ")")
        # UPDATE, INSERT and DELETE may be names of common table expressions too; those follow WITH or a comma.
        if depth == 0 and text in _QUERY_VERBS and before not in ("WITH", "RECURSIVE", ","):
            return text
        before = text
    return "WITH"


def split(sql: str) -> tuple[Piece, ...]:
    """Return the statements, meta-commands and COPY data of a script, in its order; empty statements are left out."""
    return tuple(_pieces(sql))


def _pieces(sql: str) -> Iterator[Piece]:
    position, counted, line = int(sql.startswith("\ufeff")), 0, 1  # the mark that Windows puts before a text
    while position < len(sql):
        statement, end = _statement(sql, position)
        if statement:
            start = statement[0].start
            line, counted = line + sql.count("\n", counted, start), start
            text = sql[start : statement[-1].end]
            yield Piece(kind="sql", text=text, line=line, start=start, verb=verb(statement))
        if end is None:
            return
        position = end.end
        raw: Literal["meta", "data"]
        if end.text == "\\":
            raw, start, stop = "meta", end.start, _end_of_line(sql, end.start)
            position = stop
        elif _copies_from_stdin(statement):
            raw, start = "data", min(_end_of_line(sql, position) + 1, len(sql))
            finish = _COPY_END.search(sql, start)
            stop, position = finish.span() if finish else (len(sql), len(sql))
        else:
            continue
        if start < stop:
            line, counted = line + sql.count("\n", counted, start), start
            yield Piece(kind=raw, text=sql[start:stop].rstrip("\r"), line=line, start=start)


def _statement(sql: str, position: int) -> tuple[list[Token], Token | None]:
    """Read one statement: its tokens without space and comments, and the semicolon or backslash that ended it."""
    read: list[Token] = []
    parentheses = body = 0
    for token in tokens(sql, position):
        kind, text = token.kind, token.text
        if kind in ("space", "comment"):
            continue
        if kind == "punctuation":
            if text in (";", "\\;") and parentheses == 0 and body == 0:
                return read, token
            parentheses = max(0, parentheses + (text == "(") - (text == ")"))
        elif kind == "other" and text == "\\":
            return read, token
        elif kind == "word" and len(text) <= len("ATOMIC") and (body or text.upper() == "ATOMIC"):
            body += _body_change(read, text.upper())
        read.append(token)
    return read, None


def _body_change(read: Sequence[Token], word: str) -> int:
    """How much deeper *word* leads into the SQL-standard body of a function; CASE has an END of its own."""
    if word == "ATOMIC":
        opens = bool(read) and read[-1].text.upper() == "BEGIN" and verb(read) in _BODY_VERBS
        return int(opens)
    return (word == "CASE") - (word == "END")


def _end_of_line(sql: str, position: int) -> int:
    found = sql.find("\n", position)
    return len(sql) if found < 0 else found


def _copies_from_stdin(statement: Sequence[Token]) -> bool:
    if not statement or statement[0].text.upper() != "COPY":
        return False
    words = [token.text.upper() if token.kind in ("word", "punctuation") else "" for token in statement]
    return any(pair == ("FROM", "STDIN") for pair in itertools.pairwise(words))
