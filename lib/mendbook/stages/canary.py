"""The Canary: harmless traffic on a connection that was opened before the change, as a pooled application holds it.

It sends the runbook's own statements and a read of each table that a step locks. Each goes through the protocol's Parse
step, which takes the locks of the statement and runs nothing. What only reads, and was quick at the start, also runs,
with null for each parameter, in a read-only transaction that is rolled back. Its limits of time are short, so that it
never blocks anybody for longer. An error that was there at the start is what the plan mends; any other one breaks it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, LiteralString

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from mendbook import lexer, redaction
from mendbook.runbook import Runbook
from mendbook.runbook_text import Option, Value
from mendbook.schema.key import qualified
from mendbook.stages import beside
from mendbook.stages.plan import Plan
from mendbook.stages.timeline import Call, Timeline
from mendbook.target import Target

PERIOD_S = 0.05  # between two calls
LOCK_TIMEOUT_MS = 3_000  # more than a step waits for its lock: who waits longer than that does not wait for a step
STATEMENT_TIMEOUT_MS = 4_000
QUICK_S = 0.05  # what took longer at the start is only parsed
SLOW_S = 0.5  # a backfill pauses while answers take longer
RECENT_S = 1.0  # as long a slow answer counts
READS = 10  # as many tables are read

_SENT = {"SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"}
_NOT_ONLY_READING = {"INTO", "INSERT", "UPDATE", "DELETE", "MERGE", "SHARE"}  # also behind WITH and behind FOR
_TIMEOUTS = {"55P03", "57014"}  # lock_timeout and statement_timeout
_UNTYPED = "42P18"  # only its value tells the type of a parameter; every name was found before that is seen

_READABLE: LiteralString = """
SELECT w.name FROM unnest(%s::text[]) WITH ORDINALITY AS w (name, at)
JOIN pg_class c ON c.oid = to_regclass(w.name) AND c.relkind IN ('r', 'p', 'm')
ORDER BY w.at LIMIT %s
"""
_VOLATILE: LiteralString = "SELECT FROM pg_proc WHERE provolatile = 'v' AND proname = ANY (%s) LIMIT 1"


@dataclass(kw_only=True, slots=True)
class Statement:
    """One statement that the canary sends, and how it fared."""

    at: str  # where it stands in the application, or what it reads
    sql: str
    expected: str = ""  # the SQLSTATE that it fails with by design; empty once it has passed
    runs: bool = False  # it is also run
    sqlstate: str = ""  # of the last call, where that was not expected
    problem: str = ""  # what is wrong with the last call, in words
    held: bytes = b""  # the name under which the pool prepared it


def traffic(runbook: Runbook, option: Option, values: Mapping[str, Value]) -> list[Statement]:
    """The statements of *runbook* that the application sends before and after the fix."""
    return [
        Statement(at=each.at, sql=each.sql.strip())
        for each in runbook.statements(values)
        if each.sql and not each.fails_with and each.id not in option.becomes
        if lexer.verb(lexer.significant(each.sql)) in _SENT
    ]


class Canary:
    """What sings while a plan is applied."""

    def __init__(self, sent: Iterable[Statement] = ()) -> None:
        self.timeline = Timeline()
        self._sent = list(sent)
        self._known = False  # what fails at the start was seen
        self._conn: psycopg.Connection[Any] | None = None
        self._turn = threading.Lock()  # one call at a time
        self._since: float | None = None  # when the call began that is under way

    @contextmanager
    def singing(self, target: Target, plan: Plan) -> Iterator[None]:
        """Send statements in a thread; at the end, see what the connection can no longer run.

        Raises `UnreadableTarget` where no connection is left.
        """
        with target.connect(application_name="mendbook canary") as conn:
            self._listen(conn, plan)
            self._conn = conn
            try:
                with beside.running(self._sing, "canary"):
                    yield
            finally:
                with suppress(psycopg.Error):  # a lost connection holds nothing any more
                    self.timeline.stale = list(self._stale())
                self._conn = None

    def _listen(self, conn: psycopg.Connection[Any], plan: Plan) -> None:
        """Send each statement for the first time: what fails now is no fault of the steps."""
        if not self._known:
            self._sent += _reads(conn, plan)
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        pooled = row is None or row[0] != conn.info.backend_pid
        for number, each in enumerate(self._sent):
            # Behind a pooler of transactions a prepared statement would be left to somebody else.
            each.held = b"" if pooled else f"mendbook_canary_{number}".encode()
            each.runs = _only_reads(conn, each.sql)
            call = self._call(conn, each, known=self._known)
            each.runs = each.runs and not call.error and call.seconds < QUICK_S
            each.held = b"" if call.error else each.held
        self._known = True

    def _sing(self, ended: threading.Event) -> None:
        for each in cycle(self._sent):
            if ended.wait(PERIOD_S):
                return
            if not self._once(each):
                return

    def _once(self, each: Statement) -> bool:
        """Send one statement; false where the connection is lost: those who need another one notice that."""
        with self._turn:
            if self._conn is None or self._conn.pgconn.status != ConnStatus.OK:
                return False
            with suppress(psycopg.Error):
                self._call(self._conn, each, known=True)
            self._since = None
            return self._conn.pgconn.status == ConnStatus.OK

    def _call(self, conn: psycopg.Connection[Any], each: Statement, *, known: bool) -> Call:
        pgconn = conn.pgconn
        pgconn.exec_(_begin())
        name = b"" if known else each.held
        begun = self._since = time.monotonic()
        at = self.timeline.now()
        result = pgconn.prepare(name, each.sql.encode())
        if each.runs and result.status == ExecStatus.COMMAND_OK:
            result = pgconn.exec_params(each.sql.encode(), [None] * pgconn.describe_prepared(name).nparams)
        seconds = time.monotonic() - begun
        self._since = None
        sqlstate, said = _error(result)
        if pgconn.status == ConnStatus.OK:
            pgconn.exec_(b"ROLLBACK")
            new = self._judge(each, sqlstate, said, known=known)
        else:
            sqlstate, said, new = "", "", False
        call = Call(at=at, statement=each.at, seconds=seconds, error=f"{sqlstate} {said}".strip(), new=new)
        self.timeline.calls.append(call)
        return call

    def _judge(self, each: Statement, sqlstate: str, said: str, *, known: bool) -> bool:
        """Whether what one call came to breaks the canary."""
        if not known and sqlstate not in _TIMEOUTS:
            each.expected = sqlstate
        if not sqlstate:
            each.expected = ""
        new = bool(sqlstate) and sqlstate != each.expected
        each.sqlstate = sqlstate if new else ""
        each.problem = f"{each.at} fails with {sqlstate}: {said}" if new else ""
        return new

    def _stale(self) -> Iterator[str]:
        """What the connection prepared before the change and can no longer run; nothing is run to see that."""
        for each in self._sent:
            if not each.held or self._conn is None or self._conn.pgconn.status != ConnStatus.OK:
                continue
            pgconn = self._conn.pgconn
            pgconn.exec_(_begin())
            result = pgconn.describe_prepared(each.held)
            if result.status == ExecStatus.COMMAND_OK:
                nulls = ", ".join(["NULL"] * result.nparams)
                result = pgconn.exec_(b"EXPLAIN EXECUTE " + each.held + (f" ({nulls})" if nulls else "").encode())
            sqlstate, said = _error(result)
            pgconn.exec_(b"ROLLBACK")
            if sqlstate and sqlstate not in _TIMEOUTS:
                yield f"{each.at}: {sqlstate} {said}"

    # ---- what the steps heed

    def round(self) -> None:
        """Send each statement once, now."""
        for each in self._sent:
            self._once(each)

    def broken(self) -> list[str]:
        """What fails now and passed, or failed otherwise, before: no waiting mends that."""
        return [each.problem for each in self._sent if each.problem and each.sqlstate not in _TIMEOUTS]

    def stuck(self) -> list[str]:
        """What was not answered in time."""
        return [each.problem for each in self._sent if each.sqlstate in _TIMEOUTS]

    def slow(self) -> list[str]:
        """What waits for its answer now for longer than is usual, or did in the last moment."""
        since, recent = self._since, self.timeline.now() - RECENT_S
        late = [each for each in self.timeline.calls[-len(self._sent) :] if each.at + each.seconds > recent]
        waits = [f"{each.statement} took {each.seconds:.1f} s" for each in late if each.seconds > SLOW_S]
        if since is not None and time.monotonic() - since > SLOW_S:
            waits.append(f"a statement waits for {time.monotonic() - since:.1f} s")
        return waits


def _reads(conn: psycopg.Connection[Any], plan: Plan) -> list[Statement]:
    """A read of each table that is there, that a step locks, and that stays."""
    gone = {qualified(key.schema, key.name) for key in plan.dropped if not key.part}
    names = list(dict.fromkeys(name for step in plan.steps for name in step.locks if name not in gone))
    found = conn.execute(_READABLE, [names, READS]).fetchall()
    return [Statement(at=f"a read of {name}", sql=f"TABLE {name} LIMIT 1") for (name,) in found]


def _begin() -> bytes:
    limits = f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"
    return f"BEGIN READ ONLY; {limits}".encode()


def _only_reads(conn: psycopg.Connection[Any], text: str) -> bool:
    """Whether a statement reads and does nothing else, as far as its text and the catalog tell."""
    tokens = lexer.significant(text)
    words = {token.text.upper() for token in tokens}
    if lexer.verb(tokens) not in ("SELECT", "TABLE") or words & _NOT_ONLY_READING:
        return False
    names = [token.text.strip('"') for token in tokens if token.kind in ("word", "quoted")]
    return not conn.execute(_VOLATILE, [[*names, *map(str.lower, names)]]).rowcount


def _error(result: PGresult) -> tuple[str, str]:
    """(SQLSTATE, message) of what went wrong; both empty where nothing did."""
    if result.status != ExecStatus.FATAL_ERROR:
        return "", ""

    def said(field: DiagnosticField) -> str:
        return redaction.scrub((result.error_field(field) or b"").decode(errors="replace"))

    sqlstate = said(DiagnosticField.SQLSTATE)
    return ("", "") if sqlstate == _UNTYPED else (sqlstate, said(DiagnosticField.MESSAGE_PRIMARY))
