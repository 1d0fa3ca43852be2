"""`Diagnosis`: what an error text says, read without a database.

Each value is *stated* (the text says it), *derived* (it follows from what the text says: a SQLSTATE from a message, a
table from an alias and the SQL) or *guessed* (it is likely; the target will tell).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mendbook.frameworks import Kind
from mendbook.symptom import case, envelope, sighting
from mendbook.symptom.case import Case
from mendbook.symptom.envelope import View
from mendbook.symptom.placeholders import Parameter
from mendbook.symptom.reading import Certainty, Evidence, Reading

_OTHERS = 8  # further errors that are told of


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What failed; None is what the text does not let one know."""

    is_postgres: bool
    kind: Kind = "not_postgres"
    sqlstate: str | None = None
    message: str | None = None  # the server's or the framework's own words
    language: str | None = None  # of the message: "en", "pt_BR"
    schema: str | None = None  # names as PostgreSQL has them in its catalog: folded, without quotes
    table: str | None = None
    column: str | None = None
    alias: str | None = None  # what stands before the column in the message; may be a table's own name
    constraint: str | None = None
    function: str | None = None
    type: str | None = None
    role: str | None = None
    database: str | None = None
    framework: str | None = None
    statement: str | None = None  # the failing SQL, with placeholders as they stand in the text
    inner: str | None = None  # the query in the statement's function or trigger that failed
    fragment: str | None = None  # part of the failing SQL, where the text has no more
    parameters: tuple[Parameter, ...] = ()  # of the statement, in the order in which they stand
    location: str | None = None  # file:line in the application
    certainty: Mapping[str, Certainty] = field(default_factory=dict, hash=False)  # by field
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Diagnosis, ...] = ()  # further errors of the text

    def to_json(self) -> dict[str, object]:
        """The keys that ``mendbook triage --json`` prints of a Diagnosis."""
        said = ("is_postgres", "kind", "sqlstate", "schema", "table", "column", "framework", "statement", "location")
        evidence = [
            {"field": one.field, "value": one.value, "certainty": one.certainty, "start": one.start, "end": one.end}
            for one in self.evidence
        ]
        return {key: getattr(self, key) for key in said} | {"certainty": dict(self.certainty), "evidence": evidence}


def diagnose(text: str) -> Diagnosis:
    """Return what *text* says failed; any text gives a Diagnosis, none raises."""
    views = envelope.views(text)
    found = _cases(views)
    if not any(one.is_spoken for one in found):
        views, found = _unwrapped(views, found)
    if not found:
        return Diagnosis(is_postgres=False)
    parts = {id(one): envelope.record(text, one.start, one.end, own) for one, own in case.regions(found, len(text))}
    first, *others = (_diagnosis(Reading(views, one, *parts[id(one)])) for one in found[: _OTHERS + 1])
    return replace(first, others=tuple(others))


def _unwrapped(views: list[View], found: list[Case]) -> tuple[list[View], list[Case]]:
    """The views and cases of a text whose lines were broken, if that is why no message was seen in it."""
    for joined in envelope.unwrapped(views[0]):
        more = _cases([*views, joined])
        if any(one.is_spoken for one in more):
            return [*views, joined], more
    return views, found


def _cases(views: Sequence[View]) -> list[Case]:
    return case.cases(seen for view in views for seen in sighting.of(view))


def _diagnosis(reading: Reading) -> Diagnosis:
    return Diagnosis(
        is_postgres=True,
        kind=reading.case.kind,
        sqlstate=reading.value("sqlstate"),
        message=reading.value("message"),
        language=reading.case.best.language,
        schema=reading.value("schema"),
        table=reading.value("table"),
        column=reading.value("column"),
        alias=reading.value("alias"),
        constraint=reading.value("constraint"),
        function=reading.value("function"),
        type=reading.value("type"),
        role=reading.value("role"),
        database=reading.value("database"),
        framework=reading.value("framework"),
        statement=reading.value("statement"),
        inner=reading.value("inner"),
        fragment=reading.value("fragment"),
        parameters=reading.parameters,
        location=reading.value("location"),
        certainty={name: one.certainty for name, one in reading.said.items()},
        evidence=tuple(reading.said.values()),
    )
