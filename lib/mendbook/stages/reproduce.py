"""Reproduction: the failing statements, judged by PostgreSQL itself and run by nobody.

Each statement is sent through the protocol's Parse step, which raises what the application saw and executes nothing:
no rows are touched, no row locks are taken, and no parameter values are needed. Where a fault shows only when a
statement runs, the runbook asks the catalog for it instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from mendbook import lexer, redaction, render
from mendbook.errors import NotThisIncident
from mendbook.runbook import Runbook, plain
from mendbook.runbook_text import Ledger, Option, Statement, Value
from mendbook.schema import snapshot
from mendbook.stages import stated
from mendbook.stages.history import History
from mendbook.target import identify, limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What PostgreSQL says of one statement."""

    id: str
    at: str  # where it stands in the application, as file:line
    sql: str
    sqlstate: str = ""  # empty: it passes
    message: str = ""
    position: int | None = None  # 1-based character of `sql`
    hint: str = ""

    @property
    def passes(self) -> bool:
        """Whether PostgreSQL accepts the statement."""
        return not self.sqlstate

    @property
    def verdict(self) -> str:
        """``passes`` or ``fails``."""
        return "passes" if self.passes else "fails"

    def shown(self) -> str:
        """The SQL with a caret where the server saw the error."""
        return render.pointer(self.sql.strip(), self.position)

    def to_json(self) -> dict[str, Any]:
        """What the record of an incident keeps of it."""
        said = f"{self.sqlstate} {self.message}".strip()
        return {**asdict(self), "verdict": self.verdict, "shown": self.shown(), "said": said}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduction:
    """The statements of a runbook, judged on one database."""

    outcomes: tuple[Outcome, ...]

    @property
    def failing(self) -> tuple[Outcome, ...]:
        """Those that fail."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passes)

    @property
    def passes(self) -> bool:
        """Whether every statement passes."""
        return not self.failing

    def rows(self) -> list[tuple[str, str, str]]:
        """(verdict, place, what PostgreSQL says) of each statement."""
        return [(each.verdict, each.at, f"{each.sqlstate} {each.message}".strip()) for each in self.outcomes]

    def _repr_html_(self) -> str:
        failing = "".join(f"<p>{render.escape(o.at)}</p>{render.sql_html(o.shown())}" for o in self.failing)
        return render.table_html(_HEAD, self.rows(), marks=_MARKS) + failing

    def __str__(self) -> str:
        failing = "".join(f"\n{each.at}\n{each.shown()}\n" for each in self.failing)
        return render.table_text(_HEAD, self.rows(), marks=_MARKS) + "\n" + failing


_HEAD = ("", "place", "PostgreSQL says")
_MARKS = {"fails": "bad", "passes": "good"}


def run(
    conn: psycopg.Connection[Any],
    runbook: Runbook,
    values: Mapping[str, Value],
    *,
    after: Option | None = None,
    on_clone: bool = False,
) -> Reproduction:
    """Judge every statement of *runbook* in the transaction that is open on *conn*.

    With *after*, the statements are those that the application sends once that option is in place. *on_clone* leaves
    out what a clone cannot show.
    """
    return Reproduction(
        outcomes=tuple(
            _outcome(conn, each, values) for each in runbook.statements(values, after) if each.on_clone or not on_clone
        )
    )


def _outcome(conn: psycopg.Connection[Any], statement: Statement, values: Mapping[str, Value]) -> Outcome:
    if statement.recorded:
        return _recorded(conn, statement, statement.recorded, values)
    if statement.stated:
        return _stated(conn, statement, plain(statement.stated, values))
    if statement.fails_with:
        return ask(conn, statement)
    return judge(conn, statement.id, statement.at, statement.sql)


def _recorded(
    conn: psycopg.Connection[Any], statement: Statement, step: Ledger, values: Mapping[str, Value]
) -> Outcome:
    """Look for a migration in its ledger."""
    history = History(conn=conn, live=snapshot.read(conn), identity=identify(conn), values=values)
    name, framework = plain(step.ledger, values), plain(step.framework, values)
    outcome = Outcome(id=statement.id, at=statement.at, sql=f"-- {name} in the ledger of {framework}")
    if history.is_recorded(step):
        return outcome
    return replace(outcome, sqlstate=statement.fails_with, message=f"{name} is not recorded as done")


def _stated(conn: psycopg.Connection[Any], statement: Statement, reference: str) -> Outcome:
    """Look for what an expectation has and the database lacks."""
    steps = stated.repair(snapshot.read(conn), reference).steps
    outcome = Outcome(id=statement.id, at=statement.at, sql=f"-- {reference}, held against this schema")
    if not steps:
        return outcome
    shown = "; ".join([*(each.title for each in steps[:3]), *(["…"] if len(steps) > 3 else [])])
    message = f"the schema is {render.words(len(steps), 'step')} from what {reference} states ({shown})"
    return replace(outcome, sqlstate=statement.fails_with, message=message)


def ask(conn: psycopg.Connection[Any], question: Statement) -> Outcome:
    """Put a question to the catalog, in the read-only transaction that is open on *conn*: a row is a failure."""
    outcome = Outcome(id=question.id, at=question.at, sql=question.sql)
    conn.execute("SAVEPOINT ask")
    try:
        row = conn.execute(question.sql.encode()).fetchone()
    except psycopg.Error as error:
        if conn.closed:
            raise
        conn.execute("ROLLBACK TO ask")
        said = error.diag
        return replace(outcome, sqlstate=said.sqlstate or "XX000", message=redaction.scrub(said.message_primary or ""))
    return replace(outcome, sqlstate=question.fails_with, message=redaction.scrub(str(row[0]))) if row else outcome


def judge(conn: psycopg.Connection[Any], id: str, at: str, sql: str) -> Outcome:
    """Let PostgreSQL parse one statement; the transaction that is open on *conn* goes on unharmed."""
    conn.execute("SAVEPOINT judge")
    result = conn.pgconn.prepare(_NAME, sql.encode())
    if result.status == ExecStatus.COMMAND_OK:
        result = _planned(conn, sql)
    conn.execute("ROLLBACK TO judge")
    if result.status != ExecStatus.FATAL_ERROR:
        return Outcome(id=id, at=at, sql=sql)

    def said(field: DiagnosticField) -> str:
        return redaction.scrub((result.error_field(field) or b"").decode(errors="replace"))

    if said(DiagnosticField.SQLSTATE) == _UNTYPED:
        return Outcome(id=id, at=at, sql=sql)
    position = said(DiagnosticField.STATEMENT_POSITION)
    return Outcome(
        id=id,
        at=at,
        sql=sql,
        sqlstate=said(DiagnosticField.SQLSTATE),
        message=said(DiagnosticField.MESSAGE_PRIMARY),
        position=int(position) if position else None,
        hint=said(DiagnosticField.MESSAGE_HINT),
    )


def _planned(conn: psycopg.Connection[Any], sql: str) -> PGresult:
    """Let PostgreSQL plan the statement that was prepared, where Parse leaves something open; it is not run either.

    The constraint that ON CONFLICT needs is looked up by the planner. A generic plan needs no values.
    """
    words = [token.text.upper() for token in lexer.significant(sql)]
    result = conn.pgconn.describe_prepared(_NAME)
    if ("ON", "CONFLICT") in itertools.pairwise(words):
        conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        nulls = ", ".join(["NULL"] * result.nparams)
        result = conn.pgconn.exec_(f"EXPLAIN EXECUTE mendbook_judged{f' ({nulls})' if nulls else ''}".encode())
    failed = result.status == ExecStatus.FATAL_ERROR
    if failed:
        conn.execute("ROLLBACK TO judge")
    conn.execute("DEALLOCATE mendbook_judged")
    return result


_NAME = b"mendbook_judged"
_UNTYPED = "42P18"  # only its value tells the type of a parameter; every name was found before that is seen


def confirm(reproduction: Reproduction, runbook: Runbook, values: Mapping[str, Value]) -> None:
    """Raise `NotThisIncident` unless a statement fails in the way the runbook describes."""
    if reproduction.passes:
        raise NotThisIncident(
            f"No statement of {runbook.slug} fails on this database: it does not have this incident, or no longer; "
            f"nothing was changed. If the application still fails, it talks to another database or another schema."
        )
    if not any(_matches(outcome, runbook, values) for outcome in reproduction.failing):
        first = reproduction.failing[0]
        raise NotThisIncident(
            f"{first.at} fails on this database with {first.sqlstate} ({first.message}), which is not what "
            f"{runbook.slug} mends; nothing was changed. Look for the runbook of that error."
        )


def _matches(outcome: Outcome, runbook: Runbook, values: Mapping[str, Value]) -> bool:
    return any(
        symptom.sqlstate == outcome.sqlstate and all(plain(name, values) in outcome.message for name in symptom.names)
        for symptom in runbook.text.symptoms
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Drill:
    """One exercise, run in a transaction that was rolled back."""

    title: str
    problem: str = ""  # empty: it did what the runbook says

    @property
    def passes(self) -> bool:
        """Whether every statement of it did what the runbook says."""
        return not self.problem


def drill(
    conn: psycopg.Connection[Any], runbook: Runbook, option: Option, values: Mapping[str, Value]
) -> tuple[Drill, ...]:
    """Run each exercise of *option* on an autocommit connection, with time limits, and roll it back."""
    made = []
    for exercise in option.exercises:
        conn.execute("BEGIN")
        try:
            limit(conn, statement_ms=10_000, lock_ms=2_000)
            problem = ""
            for statement in exercise.statements:
                filled = runbook.fill(statement.sql, values)
                rows = conn.execute(filled.encode()).rowcount
                if statement.rows is not None and rows != statement.rows:
                    problem = f"{filled.strip()}\ntouched {render.words(rows, 'row')} instead of {statement.rows}"
                    break
        except psycopg.Error as error:
            problem = redaction.scrub(f"{error.diag.sqlstate}: {error.diag.message_primary or error}")
        finally:
            if not conn.closed:
                conn.execute("ROLLBACK")
        made.append(Drill(title=exercise.title, problem=problem))
    return tuple(made)
