"""The grammar of server messages: wordings with their SQLSTATE and kind, in every language, and SQLSTATEs by name.

``messages.txt`` has the English, ``locales/*.json`` the same in other languages (keyed by the English text),
``conditions.txt`` the names of the SQLSTATEs.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import cast

from mendbook.frameworks import Kind, Wording

_SEVERITIES = ("ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "LOG", "INFO", "DEBUG")
_LABELS = (
    *("DETAIL", "HINT", "QUERY", "CONTEXT", "STATEMENT", "LOCATION"),
    *("SCHEMA NAME", "TABLE NAME", "COLUMN NAME", "CONSTRAINT NAME"),
)

# The kind that a SQLSTATE means where no message says it better; two characters stand for a class.
_KINDS: Mapping[str, Kind] = {
    "08": "connection_lost",
    "08001": "connection_refused",
    "08004": "connection_refused",
    "08P01": "other",
    "22007": "type_mismatch",
    "22P02": "type_mismatch",
    "23502": "not_null_violation",
    "25006": "read_only",
    "25P02": "aborted_transaction",
    "25P03": "connection_lost",
    "25P04": "connection_lost",
    "28": "authentication",
    "3D000": "missing_database",
    "3F000": "missing_schema",
    "40P01": "deadlock",
    "42501": "permission",
    "42701": "duplicate_object",
    "42703": "missing_column",
    "42704": "missing_type",
    "42710": "duplicate_object",
    "42723": "duplicate_object",
    "42804": "type_mismatch",
    "42830": "missing_constraint",
    "42846": "type_mismatch",
    "42883": "missing_function",
    "42P01": "missing_table",
    "42P04": "duplicate_object",
    "42P06": "duplicate_object",
    "42P07": "duplicate_object",
    "42P08": "type_mismatch",
    "42P10": "missing_constraint",
    "42P18": "type_mismatch",
    "53300": "pool_exhausted",
    "55P03": "lock_timeout",
    "57014": "statement_timeout",
    "57P01": "connection_lost",
    "57P02": "connection_lost",
    "57P03": "connection_refused",
    "57P04": "missing_database",
    "57P05": "connection_lost",
}

# The server's own function tells more than the SQLSTATE where one SQLSTATE has several kinds.
_ROUTINES: Mapping[tuple[str, str], Kind] = {
    ("22P02", "enum_in"): "invalid_enum",
    ("42704", "ATExecAlterConstraint"): "missing_constraint",
    ("42704", "ATExecDropConstraint"): "missing_constraint",
    ("42704", "ATExecValidateConstraint"): "missing_constraint",
    ("42704", "get_relation_constraint_attnos"): "missing_constraint",
    ("42704", "get_relation_constraint_oid"): "missing_constraint",
    ("42704", "DropErrorMsgNonExistent"): "other",
    ("42704", "find_option"): "other",
    ("42704", "get_extension_oid"): "other",
    ("42704", "get_role_oid"): "other",
    ("42704", "get_trigger_oid"): "other",
    ("42883", "op_error"): "type_mismatch",
    ("42P01", "errorMissingRTE"): "other",
    ("0A000", "RevalidateCachedQuery"): "stale_plan",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One of the languages that a server speaks (``lc_messages``)."""

    code: str  # "en", "pt_BR"
    severities: Mapping[str, str]  # as the server writes them → ERROR, FATAL, PANIC, WARNING, NOTICE, LOG …
    labels: Mapping[str, str]  # "ANWEISUNG" → STATEMENT; DETAIL, HINT, QUERY, CONTEXT, LOCATION likewise
    lines: tuple[str, ...]  # "ZEILE {}:": what stands before the line of the statement that failed
    positions: tuple[str, ...]  # "bei Zeichen {}", which a log puts behind a message
    wordings: tuple[Wording, ...]


@functools.cache
def languages() -> tuple[Language, ...]:
    """English first, then every language in ``locales/``."""
    english = Language(
        code="en",
        severities={word: word for word in _SEVERITIES},
        labels={word: word for word in _LABELS},
        lines=("LINE {}:",),
        positions=("at character {}",),
        wordings=tuple(_english()),
    )
    by_text = {wording.text: wording for wording in english.wordings}
    folder = resources.files(__package__) / "locales"
    files = sorted((found for found in folder.iterdir() if found.name.endswith(".json")), key=lambda found: found.name)
    return (english, *(_language(found.name[:-5], found.read_text("utf-8"), by_text) for found in files))


@functools.cache
def conditions() -> Mapping[str, str]:
    """Condition names, squeezed as :func:`squeeze` does, to SQLSTATEs: ``undefinedcolumn`` → ``42703``."""
    lines = (line.split() for line in _lines("conditions.txt"))
    return {squeeze(name): code for code, name in lines}


@functools.cache
def sqlstates() -> frozenset[str]:
    """Every SQLSTATE that PostgreSQL raises; a function may raise others, but they prove nothing."""
    return frozenset(conditions().values())


def squeeze(name: str) -> str:
    """``undefined_column``, ``UndefinedColumn``, ``Undefined column`` and ``UndefinedColumnError`` in one form."""
    return name.replace("_", "").replace(" ", "").lower().removesuffix("error")


def kind_of(sqlstate: str, routine: str | None = None) -> Kind:
    """The kind that *sqlstate* means, raised by the server's function *routine* if that is known."""
    known = _KINDS.get(sqlstate) or _KINDS.get(sqlstate[:2], "other")
    return _ROUTINES.get((sqlstate, routine or ""), known)


def _english() -> Iterator[Wording]:
    heading = Wording(text="", kind="other")
    for line in _lines("messages.txt"):
        if line.startswith(" "):
            yield replace(heading, text=line.strip())
        else:
            code, kind, *common = line.split()
            sqlstate = None if code == "-" else code
            heading = Wording(text="", kind=cast("Kind", kind), sqlstate=sqlstate, own=not common)


def _language(code: str, text: str, english: Mapping[str, Wording]) -> Language:
    read = json.loads(text)
    return Language(
        code=code,
        severities=read["severities"],
        labels=read["labels"],
        lines=tuple(read["lines"]),
        positions=tuple(read["positions"]),
        wordings=tuple(replace(english[key], text=said) for key, texts in read["wordings"].items() for said in texts),
    )


def _lines(name: str) -> Iterator[str]:
    text = (resources.files(__package__) / name).read_text("utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
