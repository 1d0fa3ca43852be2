"""`Match`: how well a runbook fits a Diagnosis, and the values that the error text gives it.

A specific runbook fits where the error says every name that one of its symptoms wants, about a table that its
statements use; where a text names nothing at all, if it speaks of a file that they stand in, or if the source tree
fails on those names. A generic one fits every error of its kind. Only what the text states, or what follows from it,
becomes a value; a guess stays a guess.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from mendbook import ledger as ledgers
from mendbook import lexer, redaction
from mendbook import runbook as runbooks
from mendbook.errors import BadRunbook, Usage
from mendbook.runbook import Runbook
from mendbook.runbook_text import Source, Symptom, Value
from mendbook.symptom import statements
from mendbook.symptom.reading import Certainty
from mendbook.symptom.triage import Diagnosis

if TYPE_CHECKING:
    from mendbook.symptom.sweep import Failure

_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: UTC| GMT|Z|[+-]\d\d(?::\d\d)?)")
_TELLING = re.compile(r"\w+([a-z][A-Z]|[_-])\w+")  # a file name of several words stands in no text by chance


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One runbook, held against one Diagnosis."""

    runbook: Runbook
    fits: bool
    reason: str  # why it fits, or why it does not
    weight: int  # of what speaks for it; compares runbooks that fit
    values: Mapping[str, Value]  # by parameter: what the text states, or what follows from it
    guesses: Mapping[str, Value]  # by parameter: what is only likely, for the reader to confirm
    needs: Mapping[str, str]  # parameters that want a value still, each with what it means


def rank(diagnosis: Diagnosis, text: str = "", swept: Sequence[Failure] = ()) -> list[Match]:
    """Hold the catalogue against *diagnosis* of *text*: what fits comes first, and the specific before the generic.

    *swept* are the statements of the application's source tree that the target refuses.
    """
    found = [_match(book, diagnosis, text, swept) for book in _books()] if diagnosis.is_postgres else []
    return sorted(found, key=lambda one: (not one.fits, one.runbook.text.generic, -one.weight, one.runbook.slug))


def fill(book: Runbook, diagnosis: Diagnosis, text: str = "") -> Match:
    """Hold one runbook against *diagnosis*."""
    return _match(book, diagnosis, text, ())


def _books() -> Iterator[Runbook]:
    for folder in runbooks.catalogue().values():
        try:
            yield runbooks.load(folder)
        except BadRunbook:
            continue  # `runbooks list` says what is wrong with it


def _match(book: Runbook, diagnosis: Diagnosis, text: str, swept: Sequence[Failure]) -> Match:
    said = dict(_said(diagnosis, text))
    certain: dict[str, Value] = {}
    guessed: dict[str, Value] = {}
    for name, parameter in book.text.parameters.items():
        if parameter.from_ in said:
            value, certainty = said[parameter.from_]
            (guessed if certainty == "guessed" else certain)[name] = value
    needs = {
        name: parameter.description
        for name, parameter in book.text.parameters.items()
        if parameter.default is None and name not in certain
    }
    weight, reason = _generic(book, diagnosis) if book.text.generic else _specific(book, diagnosis, text, swept)
    return Match(
        runbook=book,
        fits=weight > 0,
        reason=reason,
        weight=weight - len(needs) if book.text.generic else weight,
        values=certain,
        guesses=guessed,
        needs=needs,
    )


# ---- does it fit


_GENERIC = 1000  # the fewer kinds a runbook is for, the better it fits one; then counts how many values it needs still


def _generic(book: Runbook, diagnosis: Diagnosis) -> tuple[int, str]:
    if diagnosis.kind == "not_null_violation" and _is_sent(diagnosis):
        return 0, f"the statement sends a NULL for {diagnosis.column} itself, which no default replaces"
    if any(_is_like(symptom, diagnosis) for symptom in book.text.symptoms):
        kinds = {symptom.kind for symptom in book.text.symptoms}
        return _GENERIC // len(kinds), f"it is for every {_words(diagnosis.kind)}"
    return 0, _other_kind(book, diagnosis)


def _is_sent(diagnosis: Diagnosis) -> bool:
    """Whether the failing statement names the column that would be null."""
    read = lexer.significant(diagnosis.statement or "")
    return any(statements.fold(token.text) == diagnosis.column for token in read if token.kind in ("word", "quoted"))


def _specific(book: Runbook, diagnosis: Diagnosis, text: str, swept: Sequence[Failure]) -> tuple[int, str]:
    like = [symptom for symptom in book.text.symptoms if _is_like(symptom, diagnosis)]
    if not like:
        return 0, _other_kind(book, diagnosis)
    tables = _tables(book)
    if diagnosis.table and tables and diagnosis.table not in tables:
        return 0, f"it is about {', '.join(sorted(tables))}, and the error about {diagnosis.table}"
    names = max((symptom.names for symptom in like if _names_all(symptom, diagnosis)), key=len, default=[])
    mentions = sorted(_files(book, text))
    only_column = set(names) == {diagnosis.column} and not diagnosis.table  # other tables may have one of that name
    if names and (not only_column or mentions):
        return 10 * len(names) + len(mentions), f"the error names {' and '.join(names)}"
    if diagnosis.table in tables and any(not symptom.names for symptom in like):
        return 5, f"it is about {diagnosis.table}"
    refused = sorted(_refused(like, tables, swept))
    if refused and not _names(diagnosis):
        return 10 * len(refused), f"the error names nothing, and the source tree fails on {', '.join(refused)}"
    if mentions and not _names(diagnosis):
        return len(mentions), f"the error names nothing, and the text speaks of {', '.join(mentions)}"
    if names:
        return 0, f"the error names {' and '.join(names)}, and not whose"
    wanted = " or ".join(" and ".join(symptom.names) for symptom in like if symptom.names) or ", ".join(sorted(tables))
    return 0, f"it is about {wanted}, which the error does not name"


def _is_like(symptom: Symptom, diagnosis: Diagnosis) -> bool:
    return symptom.kind == diagnosis.kind and diagnosis.sqlstate in (None, symptom.sqlstate)


def _other_kind(book: Runbook, diagnosis: Diagnosis) -> str:
    kinds = " or ".join(dict.fromkeys(_words(symptom.kind) for symptom in book.text.symptoms))
    return f"it is for {kinds}, and this is {_words(diagnosis.kind)}"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _names(diagnosis: Diagnosis) -> set[str]:
    """What the error names, qualified and not."""
    qualified = f"{diagnosis.schema}.{diagnosis.table}" if diagnosis.schema and diagnosis.table else None
    names = (getattr(diagnosis, field) for field in ("table", "column", "constraint", "function", "type", "schema"))
    return {name for name in (*names, qualified) if name}


def _names_all(symptom: Symptom, diagnosis: Diagnosis) -> bool:
    names, message = _names(diagnosis), diagnosis.message or ""
    return all(name in names or name in message for name in symptom.names)


def _refused(like: Sequence[Symptom], tables: set[str], swept: Sequence[Failure]) -> set[str]:
    """The names of the symptoms that the target misses where the source tree uses the runbook's tables."""
    return {
        name
        for failure in swept
        if failure.missing.table in tables
        for symptom in like
        if failure.sqlstate == symptom.sqlstate
        for name in symptom.names
        if {*symptom.names} <= {failure.missing.schema, failure.missing.table, failure.missing.column}
    }


def _tables(book: Runbook) -> set[str]:
    """The tables that the runbook's statements name, with its own defaults; none where it needs values first."""
    try:
        values = book.values({})
    except Usage:
        return set()
    return {table[1] for each in book.statements(values) for table in statements.tables(each.sql).values()}


def _files(book: Runbook, text: str) -> set[str]:
    """The files of the runbook's statements that *text* speaks of, with or without their ending."""
    stems = {PurePath(each.at.rpartition(":")[0]).name.partition(".")[0] for each in book.text.statements}
    return {stem for stem in stems if _TELLING.fullmatch(stem) and re.search(rf"\b{re.escape(stem)}\b", text)}


# ---- what the text says


_FIELDS: tuple[Source, ...] = ("schema", "table", "column", "constraint", "function", "type", "role", "location")


def _said(diagnosis: Diagnosis, text: str) -> Iterator[tuple[Source, tuple[str, Certainty]]]:
    """The value of each source that a parameter can name, with how certain it is."""
    for name in _FIELDS:
        value = getattr(diagnosis, name)
        if value:
            yield name, (value, diagnosis.certainty.get(name, "derived"))
    statement = _whole(diagnosis)
    if statement:
        yield "statement", (statement.sql, "stated")
        yield from _privileges(statement)
        yield from _conflict(statement.sql, diagnosis)
    time = _time(diagnosis, text)
    if time:
        yield "time", (time, "guessed")
    label = _label(diagnosis)
    if label:
        yield "label", (label, "derived")
    if diagnosis.framework and _keeps_ledger(diagnosis.framework):
        yield "ledger", (diagnosis.framework, diagnosis.certainty.get("framework", "derived"))


def _time(diagnosis: Diagnosis, text: str) -> str | None:
    """The time that stands in the line of the message, where its zone is there too."""
    place = next((each.start for each in diagnosis.evidence if each.field == "message"), None)
    if place is None:
        return None
    end = text.find("\n", place)
    found = _TIME.search(text, text.rfind("\n", 0, place) + 1, end if end >= 0 else len(text))
    return found[0] if found else None


def _keeps_ledger(framework: str) -> bool:
    try:
        ledgers.of(framework)
    except Usage:
        return False
    return True


def _whole(diagnosis: Diagnosis) -> statements.Statement | None:
    """The failing statement as the server can Parse it; a query inside a function it cannot, for its variables."""
    if not diagnosis.statement or diagnosis.statement == diagnosis.inner:
        return None
    found = statements.normalise(redaction.scrub(diagnosis.statement))
    return None if found.truncated or len(lexer.split(found.sql)) != 1 else found


def _privileges(statement: statements.Statement) -> Iterator[tuple[Source, tuple[str, Certainty]]]:
    """What a statement of one table needs there: to find the rows that it changes, it reads."""
    if len(set(statement.tables.values())) == 1 and statement.verb in _VERBS:
        reads = statement.verb != "INSERT" or "RETURNING" in statement.sql.upper()
        yield "privileges", (", ".join(dict.fromkeys([statement.verb, *(["SELECT"] if reads else [])])), "derived")


_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")  # each has a privilege of its name


def _conflict(sql: str, diagnosis: Diagnosis) -> Iterator[tuple[Source, tuple[str, Certainty]]]:
    """The columns that ON CONFLICT wants to be unique, and the name that PostgreSQL would give the constraint."""
    read = lexer.significant(sql)
    words = [token.text.upper() for token in read]
    start = (
        next((at for at, pair in enumerate(itertools.pairwise(words)) if pair == ("ON", "CONFLICT")), len(words)) + 2
    )
    end = words.index(")", start) if ")" in words[start:] else start
    inside = read[start + 1 : end]
    plain = all(token.kind in ("word", "quoted") for token in inside[::2]) and set(words[start + 2 : end : 2]) <= {","}
    if words[start : start + 1] == ["("] and inside and plain:
        columns = [statements.fold(token.text) for token in inside[::2]]
        yield "columns", (",".join(columns), "derived")
        if diagnosis.table and not diagnosis.constraint:
            yield "constraint", ("_".join([diagnosis.table, *columns, "key"]), "derived")


_IN_QUOTES = re.compile(r'"([^"]*)"|[«“„]\s?([^«»“”„]*?)\s?[»”“]|»([^«»]*)«|「([^「」]*)」')


def _label(diagnosis: Diagnosis) -> str | None:
    """The value that an enum does not have: what the message quotes last."""
    if diagnosis.kind != "invalid_enum" or not diagnosis.message:
        return None
    quoted = ["".join(filter(None, found.groups())) for found in _IN_QUOTES.finditer(diagnosis.message)]
    others = [each for each in quoted if each != diagnosis.type]
    return others[-1] if others else None
