"""`Inquiry`: what is known of an error and of its database before the checks begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from mendbook import ledger, lexer
from mendbook.symptom import extensions, facts, missing, nearness, parsing, statements
from mendbook.symptom.facts import Facts, Settings
from mendbook.symptom.missing import Missing
from mendbook.symptom.parsing import Refusal
from mendbook.symptom.statements import Statement, Table
from mendbook.symptom.triage import Diagnosis
from mendbook.target import Identity

# What Parse refuses for want of values, or of types that the client sends: every name was found before.
_NAMES_FOUND = frozenset({"42P18", "42P08", "42725"})
_SAYS_NOTHING = frozenset({"42501", "55P03", "57014"})  # a privilege, a lock, a time limit
_SYNTAX = "42601"

_NAMES = ("table", "alias", "column", "schema", "function", "type", "constraint", "role", "database")
_TEXTS = ("message", "statement", "inner", "fragment")
_LARGEST = 1 << 20  # characters: a longer statement is not sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A name in the failing statement, and what stands there instead to see whether that is accepted."""

    name: str
    instead: tuple[str, ...]  # the parts of a name
    inside: bool = False  # what qualifies the name stays: it is a column's


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquiry:
    """An error, the database, and what the server says to the failing statement now."""

    conn: psycopg.Connection[Any]
    identity: Identity
    diagnosis: Diagnosis  # with the names that the server gave when it Parsed the statement
    statement: Statement | None  # the failing one, if Parse can judge it
    refusal: Refusal | None  # of that statement
    missed: Missing  # what the refusal is about
    facts: Facts

    @property
    def settings(self) -> Settings | None:
        return self.facts.settings[0] if self.facts.settings else None

    @property
    def passes(self) -> bool | None:
        """Whether the server now takes the failing statement; None if there is none that Parse can judge."""
        return _accepts(self.refusal) if self.statement else None

    @property
    def complaint(self) -> str:
        """What the server says to the failing statement now."""
        return f"{self.refusal.sqlstate}: {self.refusal.message}" if self.refusal else ""

    def schema_path(self) -> tuple[str, ...]:
        """The schemas that the search_path of this session names, also those that do not exist."""
        return self.settings.schemas(self.settings.path) if self.settings else self.identity.schemas

    @property
    def sql(self) -> str:
        """The SQL that failed, as far as the text has it."""
        return _sql(self.diagnosis)

    def tables(self) -> dict[str, Table]:
        """What each name in the failing SQL stands for."""
        return statements.tables(self.sql)

    def try_out(self, changes: Sequence[Change]) -> list[bool | None]:
        """Say of each change of the statement whether the server takes it; None where Parse does not tell."""
        if self.statement is None or not changes:
            return [None] * len(changes)
        written = [exchange(self.statement.sql, each) for each in changes]
        return [_fits(answer) for answer in parsing.parse(self.conn, written)]


def begin(conn: psycopg.Connection[Any], diagnosis: Diagnosis, identity: Identity, queries: Iterable[str]) -> Inquiry:
    """Parse the failing statement and ask the server *queries* of `facts`."""
    diagnosis = _encodable(diagnosis)
    statement = _judgeable(diagnosis)
    refusal = parsing.parse(conn, [statement.sql])[0] if statement else None
    if refusal and refusal.sqlstate == _SYNTAX != diagnosis.sqlstate:
        statement = refusal = None  # the text does not have the statement as it was
    missed = Missing()
    if statement and refusal:
        missed = missing.find(statement, refusal.sqlstate, refusal.message, refusal.position)
        diagnosis = _sharpened(diagnosis, statement, refusal, missed)
    known = facts.read(conn, queries, _values(diagnosis, conn.info.encoding))
    return Inquiry(
        conn=conn,
        identity=identity,
        diagnosis=_guessed(diagnosis, known),
        statement=statement,
        refusal=refusal,
        missed=missed,
        facts=known,
    )


def say(diagnosis: Diagnosis, **values: str | None) -> Diagnosis:
    """Add what follows from the catalog; what the text states or implies stays, a guess gives way."""
    new = {
        name: value
        for name, value in values.items()
        if value and (getattr(diagnosis, name) is None or diagnosis.certainty.get(name) == "guessed")
    }
    return replace(diagnosis, **new, certainty={**diagnosis.certainty, **dict.fromkeys(new, "derived")})  # type: ignore[arg-type]


def without_table(diagnosis: Diagnosis) -> Diagnosis:
    """Take back a guess that the catalog or the server refutes."""
    certainty = {name: each for name, each in diagnosis.certainty.items() if name != "table"}
    return replace(diagnosis, table=None, certainty=certainty)


def exchange(sql: str, change: Change) -> str:
    """Write another name wherever *sql* has the one that *change* speaks of."""
    pieces: list[str] = []
    begins = 0  # in pieces: where a qualified name begins
    after_dot = False
    for token in lexer.tokens(sql):
        is_dot = token.text == "."
        if not is_dot and not after_dot:
            begins = len(pieces)
        if token.kind in ("word", "quoted") and token.closed and statements.fold(token.text) == change.name:
            del pieces[len(pieces) if change.inside else begins :]
            pieces.append(statements.quote(*change.instead))
        else:
            pieces.append(token.text)
        after_dot = is_dot
    return "".join(pieces)


def _encodable(diagnosis: Diagnosis) -> Diagnosis:
    """Write a question mark for what no text sent to a server can hold: halves of surrogate pairs."""
    said = {name: getattr(diagnosis, name) for name in (*_NAMES, *_TEXTS)}
    clean = {name: _clean(value, "utf-8") for name, value in said.items() if value}
    return replace(diagnosis, **clean)  # type: ignore[arg-type]


def _judgeable(diagnosis: Diagnosis) -> Statement | None:
    """The failing statement, if Parse looks up what it names; not the one whose function or trigger failed."""
    sql = diagnosis.statement
    if not sql or diagnosis.inner or "\0" in sql or len(sql) > _LARGEST:
        return None
    statement = statements.normalise(sql)
    return statement if statement.verb in parsing.ANALYSED and not statement.truncated else None


def _sharpened(diagnosis: Diagnosis, statement: Statement, refusal: Refusal, missed: Missing) -> Diagnosis:
    """Take over what the server misses now, if that is what the text speaks of."""
    if not diagnosis.kind.startswith("missing_") or diagnosis.sqlstate not in (None, refusal.sqlstate):
        return diagnosis
    if refusal.sqlstate == missing.TABLE and missed.table not in {table for _, table in statement.tables.values()}:
        return diagnosis  # an alias that the statement does not define
    for name in ("table", "column"):
        known, found = getattr(diagnosis, name), getattr(missed, name)
        if known and found and known != found and diagnosis.certainty.get(name) != "guessed":
            return diagnosis
    other = {"missing_function": "function", "missing_type": "type"}.get(diagnosis.kind)
    more = {other: missed.other} if other else {}
    return say(
        diagnosis,
        sqlstate=refusal.sqlstate,
        message=refusal.message,
        schema=missed.schema,
        table=missed.table,
        column=missed.column,
        **more,
    )


def _guessed(diagnosis: Diagnosis, known: Facts) -> Diagnosis:
    """Guess the table of an alias that no SQL explains: an ORM's alias is often the model's name, a table its plural.

    A guess of the text's that the catalog refutes is taken back.
    """
    if known.relations is None or statements.tables(_sql(diagnosis)):
        return diagnosis
    guess = diagnosis.table if diagnosis.certainty.get("table") == "guessed" else None
    if (diagnosis.table and not guess) or any(each.name == guess for each in known.relations):
        return diagnosis
    forms = nearness.tables(diagnosis.alias or "")
    names = {each.name for each in known.relations if each.name in forms and each.visible and each.kind != "index"}
    if diagnosis.kind != "missing_column" or len(names) != 1:
        return without_table(diagnosis)
    return replace(diagnosis, table=names.pop(), certainty={**diagnosis.certainty, "table": "guessed"})


def _values(diagnosis: Diagnosis, encoding: str) -> dict[str, Any]:
    """The parameters of the queries; what no name in this database can hold becomes a question mark."""
    said = [getattr(diagnosis, name) for name in _NAMES]
    tables = [part for table in statements.tables(_sql(diagnosis)).values() for part in table]
    forms = nearness.tables(diagnosis.alias) if diagnosis.alias else ()
    brings = extensions.bringing(diagnosis.function or diagnosis.type)
    names = {_clean(name, encoding).replace("\0", "?") for name in (*said, *tables, *forms, brings) if name}
    sought = next((name for name in (_sought(diagnosis), *said) if name), "")
    return {
        "names": sorted(names),
        "length": len(nearness.plain(sought)),
        "ledgers": sorted({kept.table for kept in ledger.known().values()}),
    }


def _sought(diagnosis: Diagnosis) -> str | None:
    """The name for which others may be near in the catalog; a column is looked for in its table."""
    own = {"missing_function": "function", "missing_type": "type", "invalid_enum": "type"}
    return getattr(diagnosis, own.get(diagnosis.kind, "table")) or diagnosis.alias


def _clean(name: str, encoding: str) -> str:
    return name.encode(encoding, "replace").decode(encoding)


def _sql(diagnosis: Diagnosis) -> str:
    return diagnosis.inner or diagnosis.statement or diagnosis.fragment or ""


def _accepts(refusal: Refusal | None) -> bool | None:
    if refusal is None or refusal.sqlstate in _NAMES_FOUND:
        return True
    return None if refusal.sqlstate in _SAYS_NOTHING else False


def _fits(refusal: Refusal | None) -> bool | None:
    """Whether the object that was put in fits: another one that is missing says nothing about it."""
    return None if refusal and refusal.sqlstate == missing.TABLE else _accepts(refusal)
