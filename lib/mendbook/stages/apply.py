"""Application: the planned steps, exactly those, on the target; with a journal that survives a crash."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, LiteralString, NoReturn

import psycopg

from mendbook import redaction, render
from mendbook.errors import ApplyFailed, LockNotObtained, MendbookError, NotApproved, Refused, SchemaMoved, WrongTarget
from mendbook.schema import snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.stages import edits
from mendbook.stages.plan import Plan
from mendbook.target import Identity, Target, identify, limit, read_only, require_primary

LOCK_TIMEOUT_MS = 2_000  # no statement of the application waits longer than this behind ours
STATEMENT_TIMEOUT_MS = 300_000
PAUSE_S = 0.5  # before the second attempt; doubles, with jitter, up to PAUSE_MOST_S
PAUSE_MOST_S = 10.0

# Two responders never apply at once: a transaction-scoped advisory lock, which a transaction pooler passes on.
_ADVISORY = 0x6D656E64626F6F6B  # "mendbook" in ASCII

_BLOCKERS: LiteralString = """
SELECT DISTINCT a.pid, coalesce(a.usename, '?') AS role, coalesce(nullif(a.application_name, ''), '?') AS application,
       a.state, extract(epoch FROM now() - coalesce(a.xact_start, a.query_start))::int AS seconds
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.relation = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
  AND a.pid <> pg_backend_pid()
ORDER BY seconds DESC NULLS LAST
LIMIT 5
"""


class Journal:
    """What was done, one JSON object a line, each on the disk before the next thing happens."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, **facts: Any) -> None:
        """Add one line and wait until the disk has it; raises `Refused` where that fails."""
        try:
            self._add(event, facts)
        except OSError as error:
            raise Refused(
                f"The journal {self.path} cannot be written ({error}), and without it nothing is changed on the "
                f"target. Make room or make the folder writable, then run this again."
            ) from None

    def note(self, event: str, **facts: Any) -> None:
        """Add one line if that is possible: taking something back does not wait for a full disk."""
        with suppress(OSError):
            self._add(event, facts)

    def _add(self, event: str, facts: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "event": event, **redaction.scrub_all(facts)}, ensure_ascii=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[dict[str, Any]]:
        """Every complete line, in order."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """One step or edit that was done."""

    title: str
    seconds: float  # from asking for the lock to the commit
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What was done on the target."""

    direction: str  # forward or undo
    digest: str
    applied: tuple[Applied, ...]
    seconds: float

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(number, what, attempts, milliseconds) of each step."""
        return [
            (str(number), each.title, str(each.attempts), f"{each.seconds * 1000:.0f} ms")
            for number, each in enumerate(self.applied, 1)
        ]

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.rows())

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.rows())


_HEAD = ("step", "done", "attempts", "took")


def approve(plan: Plan, digest: str) -> None:
    """Raise `NotApproved` unless *digest* is the plan's."""
    if digest != plan.digest:
        said = f"the digest {digest!r} names another plan" if digest else "no digest was given"
        raise NotApproved(
            f"The plan has the digest {plan.digest}, and {said}; nothing was changed. "
            f"Read the plan, then approve it by its digest."
        )


def run(plan: Plan, target: Target, journal: Journal, *, approved: str, wait: float = 60.0) -> Application:
    """Apply *plan* to *target*; *wait* is the total time in seconds to go on asking for locks.

    Raises `NotApproved`, `WrongTarget`, `SchemaMoved` and `LockNotObtained` with nothing changed, `ApplyFailed` with
    what was done undone or named.
    """
    approve(plan, approved)
    _check(plan, target, moved_from=plan.fingerprint)
    for edit in plan.edits:
        edits.check(edit)
    return _go(plan, target, journal, "forward", wait)


def undo(
    plan: Plan, target: Target, journal: Journal, *, approved: str, fingerprint: str, wait: float = 60.0
) -> Application:
    """Take an applied *plan* back; *fingerprint* is the schema's as it was left. Raises what `run` raises."""
    approve(plan, approved)
    _check(plan, target, moved_from=fingerprint)
    return _go(plan, target, journal, "undo", wait)


def _check(plan: Plan, target: Target, *, moved_from: str) -> Identity:
    with target.connect() as conn, read_only(conn):
        identity = identify(conn)
        found = snapshot.read(conn)
    if identity.proof() != plan.target:
        raise WrongTarget(
            f"{target.reference} is the database {identity.database!r} as {identity.role!r}, which is not the one that "
            f"the plan was made for ({plan.target['database']!r} as {plan.target['role']!r}); nothing was changed."
        )
    require_primary(target, identity)
    if identity.read_only:
        raise Refused(
            f"The role {identity.role} is read-only by default (default_transaction_read_only); nothing was changed. "
            f"Use a role that may change the schema."
        )
    if found.fingerprint() != moved_from:
        moved = [name for name in {*found.parts, *plan.parts} if found.parts.get(name) != plan.parts.get(name)]
        names = ", ".join(".".join(json.loads(name)).strip(".") for name in sorted(moved)[:5])
        raise SchemaMoved(
            f"The schema of {identity.database} has changed since the plan was made ({names}); nothing was changed. "
            f"Diagnose again to plan for the schema as it is now."
        )
    return identity


# ---- doing it


def _go(plan: Plan, target: Target, journal: Journal, direction: str, wait: float) -> Application:
    start = time.monotonic()
    clock = _Clock(end=start + wait)
    back = direction == "undo"
    steps = tuple(reversed(plan.steps)) if back else plan.steps
    done: list[Applied] = []
    begun: list[Step] = []
    journal.write("started", direction=direction, digest=plan.digest, steps=len(steps), edits=len(plan.edits))
    try:
        if back:
            done += _edit(plan, journal, undo=True)
        with target.connect() as conn:
            for group in _groups(steps, direction):
                begun += group
                done += _group(conn, group, direction, journal.write, clock)
                journal.write("done", steps=[step.title for step in group])
        if not back:
            done += _edit(plan, journal, undo=False)
    except LockNotObtained as error:
        journal.note("stopped", reason=str(error))
        if not done:
            raise
        _take_back(plan, target, journal, done, begun, direction, error)
    except (MendbookError, psycopg.Error, KeyboardInterrupt) as error:
        journal.note("failed", reason=_said(error))
        _take_back(plan, target, journal, done, begun, direction, error)
    journal.write("finished", direction=direction, digest=plan.digest)
    return Application(direction=direction, digest=plan.digest, applied=tuple(done), seconds=time.monotonic() - start)


def _statements(step: Step, direction: str) -> Sequence[str]:
    return step.forward if direction == "forward" else step.undo


def _alone(step: Step, direction: str) -> bool:
    """Whether the statements cannot be part of a transaction with others."""
    if direction == "forward":
        return step.transaction is Transaction.NONE
    return any(" CONCURRENTLY " in statement for statement in step.undo)


def _groups(steps: Iterable[Step], direction: str) -> Iterator[list[Step]]:
    """Steps that share a transaction, together; each other step on its own."""
    counter = iter(range(1_000_000))

    def mark(step: Step) -> object:
        shared = step.transaction is Transaction.SHARED and not _alone(step, direction)
        return "shared" if shared else next(counter)

    for _, group in groupby((step for step in steps if _statements(step, direction)), key=mark):
        yield list(group)


@dataclass(frozen=True, slots=True)
class _Clock:
    end: float  # monotonic seconds

    def left(self) -> float:
        return self.end - time.monotonic()


def _group(
    conn: psycopg.Connection[Any], group: list[Step], direction: str, journal: Callable[..., None], clock: _Clock
) -> list[Applied]:
    """Run one group, again as long as its locks are busy and time is left."""
    titles = [step.title for step in group]
    start, attempt = time.monotonic(), 0
    while True:
        attempt += 1
        journal("asked", steps=titles, attempt=attempt)
        try:
            _attempt(conn, group, direction)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            pause = min(PAUSE_S * 2 ** (attempt - 1), PAUSE_MOST_S) * random.uniform(0.5, 1.0)  # noqa: S311  jitter
            if clock.left() < pause:
                raise _busy(conn, group, attempt, start, error) from None
            journal("waited", steps=titles, attempt=attempt, blockers=_blockers(conn, group))
            time.sleep(pause)
        else:
            seconds = time.monotonic() - start
            return [Applied(title=title, seconds=seconds / len(titles), attempts=attempt) for title in titles]


def _attempt(conn: psycopg.Connection[Any], group: list[Step], direction: str) -> None:
    if any(_alone(step, direction) for step in group):
        with _session_limits(conn):
            for step in group:
                for statement in _statements(step, direction):
                    conn.execute(statement)
        return
    with conn.transaction():
        limit(conn, statement_ms=STATEMENT_TIMEOUT_MS, lock_ms=LOCK_TIMEOUT_MS)
        row = conn.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ADVISORY]).fetchone()
        if not row or not row[0]:
            raise Refused(
                "Another responder is applying a plan to this database right now; nothing was changed by this one."
            )
        for step in group:
            for statement in _statements(step, direction):
                conn.execute(statement)


@contextmanager
def _session_limits(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Limits for statements that cannot be in a transaction, where SET LOCAL has no effect."""
    conn.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    conn.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("RESET lock_timeout")
            conn.execute("RESET statement_timeout")


def _busy(
    conn: psycopg.Connection[Any], group: list[Step], attempts: int, start: float, error: psycopg.Error
) -> LockNotObtained:
    waited = time.monotonic() - start
    who = "; ".join(_blockers(conn, group)) or str(error.diag.message_primary)
    return LockNotObtained(
        f"{group[0].title} asked {render.words(attempts, 'time')} in {waited:.0f} s for {group[0].lock} and did not "
        f"get it, behind {who}; nothing was changed by it. End that session or run this again with a longer --wait."
    )


def _blockers(conn: psycopg.Connection[Any], group: list[Step]) -> list[str]:
    """Who holds locks on the relations that the steps need: ``pid 4711 (idle in transaction for 720 s, reporting)``."""
    names = sorted({name for step in group for name in step.locks})
    try:
        rows = conn.execute(_BLOCKERS, [names]).fetchall()
    except psycopg.Error:
        return []
    return [
        f"pid {pid} ({state} for {seconds} s, {role}, {application})" for pid, role, application, state, seconds in rows
    ]


def _edit(plan: Plan, journal: Journal, *, undo: bool) -> list[Applied]:
    done = []
    work: Callable[[edits.Edit], None] = edits.undo if undo else edits.run
    for edit in reversed(plan.edits) if undo else plan.edits:
        start = time.monotonic()
        journal.write("edit", path=edit.path, undo=undo)
        work(edit)
        journal.write("edited", path=edit.path)
        title = f"Undo: {edit.title}" if undo else edit.title
        done.append(Applied(title=title, seconds=time.monotonic() - start, attempts=1))
    return done


def _take_back(
    plan: Plan,
    target: Target,
    journal: Journal,
    done: list[Applied],
    begun: list[Step],
    direction: str,
    error: BaseException,
) -> NoReturn:
    """After a failure, undo what was done, and say what could not be undone."""
    reason = redaction.scrub(_said(error)).rstrip(".")
    if direction == "undo":
        left = [each.title for each in done]
        raise ApplyFailed(
            f"The rollback stopped: {reason}. Taken back until then: {', '.join(left) or 'nothing'}. Run it again."
        ) from None
    if not done and isinstance(error, Refused):
        raise error
    if not done and isinstance(error, psycopg.errors.InsufficientPrivilege):
        raise Refused(
            f"The role {plan.target['role']} may not do this ({error.diag.message_primary}), so nothing was changed. "
            f"Name a target with a role that owns the tables, and diagnose again."
        ) from None
    titles = {each.title for each in done}
    problems = []
    for edit in reversed(plan.edits):
        try:
            edits.undo(edit)
        except MendbookError as wrong:
            problems.append(str(wrong))
    # What ran outside a transaction may have left something behind even where it failed, such as an invalid index.
    for step in reversed([each for each in begun if each.title in titles or each.transaction is Transaction.NONE]):
        problems += _undo_step(target, step, journal)
    journal.note("taken back", steps=sorted(titles), problems=problems)
    if problems:
        raise ApplyFailed(f"{reason}. This could not be undone and is still there: {'; '.join(problems)}") from None
    raise ApplyFailed(
        f"{reason}. Everything that had been done was undone; the database is as it was before."
    ) from None


def _undo_step(target: Target, step: Step, journal: Journal) -> list[str]:
    try:
        with target.connect() as conn:
            _group(conn, [step], "undo", journal.note, _Clock(end=time.monotonic() + 30))
    except (MendbookError, psycopg.Error) as error:
        return [f"{step.title} ({redaction.scrub(_said(error))})"]
    lost = "" if step.undo else step.undo_loses or step.loses
    return [f"{step.title} ({lost})"] if lost else []


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted"
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL said {error.diag.sqlstate or 'nothing'}: {error.diag.message_primary or str(error).strip()}"
    return str(error)
