"""`Proof`: what a live database says about a Diagnosis: which cause remains, and which were ruled out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from mendbook import render
from mendbook.frameworks import Kind
from mendbook.symptom import absence, access, inquiry, ledgers, mismatch, occupancy, subject
from mendbook.symptom.finding import CAUSES, Finding, confirmed, listed, ruled_out, unknown
from mendbook.symptom.inquiry import Inquiry
from mendbook.symptom.subject import Subject
from mendbook.symptom.triage import Diagnosis
from mendbook.target import Identity

UNKNOWN = "unknown"  # the cause where no check confirms one
_ALWAYS = ("settings", "configured", "databases")
_OBJECTS = ("relations", "columns", "schemas", "keywords", "ledgers", "privileges")
_SESSIONS = ("server", "sessions")
_AT_PARSE = "42"  # the SQLSTATE class of syntax errors and names: appendix A of the manual
_OF_TABLES = frozenset(
    {"missing_column", "missing_table", "missing_constraint", "not_null_violation", "type_mismatch", "permission"}
    | {"duplicate_object"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Which cause remains."""

    findings: tuple[Finding, ...]  # in the order in which they were looked into
    cause: str  # slug, see finding.CAUSES; UNKNOWN
    refined: Diagnosis  # with what the catalog made certain

    @property
    def remaining(self) -> Finding | None:
        """The finding that tells the cause."""
        return next((each for each in self.findings if each.cause == self.cause and each.verdict == "confirmed"), None)

    def summary(self) -> str:
        """One or two sentences: what remains, and what it is not."""
        out = [each.check for each in self.findings if each.verdict == "ruled out"]
        said = self.remaining.said if self.remaining else "No check tells the cause."
        return f"{said} Ruled out: {listed(out)}." if out else said

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(verdict, check, what it found, evidence) of each finding, the cause first."""
        order = sorted(self.findings, key=lambda each: (each is not self.remaining, _VERDICTS.index(each.verdict)))
        return [(each.verdict, each.check, each.said, "\n".join(each.evidence)) for each in order]

    def _repr_html_(self) -> str:
        return f"<p>{render.escape(self.summary())}</p>" + render.table_html(_HEAD, self.rows(), marks=_MARKS)

    def __str__(self) -> str:
        return f"{self.summary()}\n\n{render.table_text(_HEAD, self.rows(), marks=_MARKS)}"


_HEAD = ("", "check", "what was found", "evidence")
_VERDICTS = ("confirmed", "not known", "ruled out")
_MARKS = {"confirmed": "bad", "not known": "warn", "ruled out": "good"}


def prove(conn: psycopg.Connection[Any], diagnosis: Diagnosis, identity: Identity) -> Proof:
    """Run the checks that tell the causes of *diagnosis* apart, in the read-only transaction that is open on *conn*.

    What the role may not read becomes a finding that is not known. Raises `Surroundings` if the connection is lost.
    """
    if not diagnosis.is_postgres:
        return Proof(findings=(), cause=UNKNOWN, refined=diagnosis)
    queries, checks = _KINDS.get(diagnosis.kind, ((), _any))
    asked = inquiry.begin(conn, diagnosis, identity, (*_ALWAYS, *queries))
    sought = subject.of(asked)
    findings = tuple(absence.checks(asked, sought) if sought else checks(asked))
    causes = {each.cause for each in findings if each.verdict == "confirmed"}
    return Proof(
        findings=findings,
        cause=next((cause for cause in CAUSES if cause in causes), UNKNOWN),
        refined=_refined(asked, sought),
    )


def _refined(asked: Inquiry, sought: Subject | None) -> Diagnosis:
    """The Diagnosis with the table and the schema that are certain by now."""
    diagnosis = asked.diagnosis
    if sought and sought.kind == "label":
        return inquiry.say(diagnosis, schema=sought.found[0].schema if sought.found else None)
    if not (diagnosis.column or diagnosis.constraint or diagnosis.table) or diagnosis.kind not in _OF_TABLES:
        return diagnosis
    tables = sought.tables if sought and sought.kind == "column" else subject.candidates(asked)
    is_guess = diagnosis.certainty.get("table") == "guessed"
    if is_guess and diagnosis.table not in {table for _, table in tables}:
        return inquiry.without_table(diagnosis)
    if len(tables) != 1 or (is_guess and not asked.tables()):
        return diagnosis
    found = sought.found if sought else subject.resolved(asked, tables)
    schema = found[0].schema if found else None
    return inquiry.say(diagnosis, table=tables[0][1], schema=tables[0][0] or schema)


# The checks by kind, where there is no one thing that is sought


def _unnamed(asked: Inquiry) -> Iterator[Finding]:
    yield absence.other_database(asked)
    if asked.diagnosis.kind == "missing_schema":
        yield absence.no_schema(asked)
        return
    if asked.passes:
        yield confirmed("fixed_meanwhile", "The server now takes the statement.")
    yield absence.standby(asked, "what is missing")
    yield unknown(
        "missing", "The text does not name what is missing, and has no statement that the server could judge."
    )


def _ledger(asked: Inquiry) -> Iterator[Finding]:
    yield absence.other_database(asked)
    if asked.facts.ledgers is None:
        yield unknown("ledger_missing", "This role cannot read which migration ledgers there are.")
        return
    records = ledgers.read(asked.conn, asked.facts.ledgers)
    if records:
        yield ruled_out("ledger_missing", "A migration ledger is in this database.", map(str, records))
    else:
        yield confirmed("ledger_missing", "No migration ledger that Mendbook knows is in this database.")


def _any(asked: Inquiry) -> Iterator[Finding]:
    yield absence.other_database(asked)
    if not (asked.diagnosis.sqlstate or "").startswith(_AT_PARSE):
        return  # what fails with a value, or in a transaction, does not fail when it is Parsed
    if asked.passes:
        yield confirmed("fixed_meanwhile", "The server now takes the statement.")
    names = sorted({table for _, table in asked.tables().values()})
    if names and asked.facts.keywords is not None:
        yield absence.reserved(asked, names)


Checks = Callable[[Inquiry], Iterator[Finding]]

# What is asked of the server, and what looks at the answers.
_KINDS: Mapping[Kind, tuple[tuple[str, ...], Checks]] = {
    "missing_column": (_OBJECTS, _unnamed),
    "missing_table": (_OBJECTS, _unnamed),
    "missing_schema": (_OBJECTS, _unnamed),
    "missing_function": ((*_OBJECTS, "functions", "extensions"), _unnamed),
    "missing_type": ((*_OBJECTS, "types", "extensions"), _unnamed),
    "missing_constraint": ((*_OBJECTS, "constraints", "indexes"), mismatch.unique),
    "missing_database": ((), _unnamed),
    "invalid_enum": ((*_OBJECTS, "types", "labels"), _unnamed),
    "duplicate_object": ((*_OBJECTS, "functions", "types", "constraints", "roles"), mismatch.duplicate),
    "type_mismatch": (_OBJECTS, mismatch.types),
    "not_null_violation": (_OBJECTS, mismatch.not_null),
    "permission": (_OBJECTS, access.rights),
    "authentication": (("roles",), access.login),
    "pool_exhausted": (_SESSIONS, occupancy.connections),
    "pool_closed": (_SESSIONS, occupancy.connections),
    "connection_lost": (_SESSIONS, occupancy.answers),
    "connection_refused": (_SESSIONS, occupancy.answers),
    "lock_timeout": (("blockers", "holders"), occupancy.waits),
    "deadlock": (("blockers", "holders"), occupancy.waits),
    "statement_timeout": (("blockers", "holders"), occupancy.waits),
    "read_only": ((), occupancy.writes),
    "stale_plan": ((), occupancy.plans),
    "migration_pending": (("ledgers",), _ledger),
    "migration_history": (("ledgers",), _ledger),
    "other": (("keywords",), _any),
}
