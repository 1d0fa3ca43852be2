"""Applying: the planned steps, exactly those, on the target; with a journal that survives a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, LiteralString, NoReturn

import psycopg

from mendbook import redaction
from mendbook.errors import (
    ApplyFailed,
    Halted,
    LockNotObtained,
    MendbookError,
    NotApproved,
    Refused,
    UnreadableTarget,
    WrongTarget,
)
from mendbook.request import who
from mendbook.schema import snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.stages import blockers, edits, execution, permits, resume, turn
from mendbook.stages.application import Application
from mendbook.stages.blockers import Blockers
from mendbook.stages.calm import Calm
from mendbook.stages.canary import Canary
from mendbook.stages.execution import Applied, Clock, Numbered, Terms
from mendbook.stages.journal import Journal
from mendbook.stages.plan import Plan
from mendbook.stages.resume import Progress
from mendbook.symptom import unreachable
from mendbook.target import Target, identify, read_only, require_primary

TAKE_BACK_S = 30.0  # to go on asking for the locks of one step's undo

_SESSION: LiteralString = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_ALIVE: LiteralString = "SELECT FROM pg_stat_activity WHERE pid = %s AND backend_start = %s::timestamptz"


def approve(plan: Plan, digest: str) -> None:
    """Raise `NotApproved` unless *digest* is the plan's."""
    if digest != plan.digest:
        said = f"the digest {digest!r} names another plan" if digest else "no digest was given"
        raise NotApproved(
            f"The plan has the digest {plan.digest}, and {said}; nothing was changed. "
            f"Read the plan, then approve it by its digest."
        )


Show = Callable[[Blockers], None]


def run(
    plan: Plan,
    target: Target,
    journal: Journal,
    *,
    approved: str,
    wait: float = 60.0,
    show: Show = lambda seen: None,
    canary: Canary | None = None,
) -> Application:
    """Apply *plan* to *target*, or go on where an earlier run stopped.

    *wait* is the total time in seconds to go on asking for locks and for a connection; *show* is given who is in the
    way, before the first step and whenever that changes. The *canary* sings meanwhile, and keeps the time line.

    Raises `NotApproved`, `WrongTarget`, `SchemaMoved` and `LockNotObtained` with nothing changed, `Halted` between two
    steps, `ApplyFailed` with what was done undone or named.
    """
    approve(plan, approved)
    with journal.held():
        return _Run(plan, target, journal, "forward", wait, show, canary=canary).go()


def undo(
    plan: Plan,
    target: Target,
    journal: Journal,
    *,
    approved: str,
    fingerprint: str,
    wait: float = 60.0,
    show: Show = lambda seen: None,
) -> Application:
    """Take an applied *plan* back, or what an earlier run did of it; *fingerprint* is the schema's as it was verified.

    Raises what `run` raises.
    """
    approve(plan, approved)
    with journal.held():
        return _Run(plan, target, journal, "undo", wait, show, fingerprint).go()


class _Run:
    """One application of a plan, forward or backward."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        journal: Journal,
        direction: str,
        wait: float,
        show: Show,
        fingerprint: str = "",
        canary: Canary | None = None,
    ) -> None:
        self.show = show
        self.canary = canary or Canary()
        self.plan, self.target, self.journal, self.direction = plan, target, journal, direction
        self.fingerprint = fingerprint  # of the schema as it was verified after the plan was applied
        self.start = time.monotonic()
        self.clock = Clock(wait)
        self.steps: list[Numbered] = list(enumerate(plan.steps, 1))
        self.begun: set[int] = set()  # the numbers of the steps that may be there, or be undone, in part
        self.done: dict[int, Applied] = {}  # by the number of the step
        self.edited: list[Applied] = []
        self.seen = Blockers(found=())  # who was last in the way

    def go(self) -> Application:
        """Do it, or take back what was done and raise."""
        try:
            lost = self._through_losses()
            if lost is None and self.direction == "forward":
                self._edit(undo=False)
        except Halted as error:
            self.journal.note("halted", reason=_said(error))
            raise
        except (MendbookError, psycopg.Error, KeyboardInterrupt) as error:
            self.journal.note("failed", reason=_said(error))
            self._take_back(error)
        if lost is not None:
            self._give_up(lost)
        self.journal.write("finished", direction=self.direction, digest=self.plan.digest)
        steps = [self.done[number] for number in sorted(self.done, reverse=self.direction == "undo")]
        return Application(
            direction=self.direction,
            digest=self.plan.digest,
            applied=(*steps, *self.edited) if self.direction == "forward" else (*self.edited, *steps),
            seconds=time.monotonic() - self.start,
        )

    # ---- the steps

    def _through_losses(self) -> Exception | None:
        """Do the steps, over a new connection where one is lost; returns the last loss when no time is left."""
        attempt = 0
        while True:
            try:
                with turn.taken(self.target) as guard, self.target.connect() as conn:
                    self._on(conn, guard)
            except (psycopg.Error, MendbookError) as error:
                # What was begun is not taken back on another database, such as a standby that is not promoted yet.
                if not (_is_loss(error) or (self.begun and isinstance(error, WrongTarget))):
                    raise
                attempt += 1
                self.journal.note("lost", reason=_said(error), attempt=attempt)
                if not self.clock.pause(attempt):
                    return error
            else:
                return None

    def _on(self, conn: psycopg.Connection[Any], guard: psycopg.Connection[Any]) -> None:
        """Do what is left to do."""
        found = resume.progress(self.journal.read(), self.plan.digest)
        self._check(conn)
        self._wait_for(conn, found)
        there = self._there(conn, found)
        forward = self.direction == "forward"
        left = [each for each in self.steps if (each[0] in there) != forward]
        self.done = {n: self.done.get(n, _earlier(step)) for n, step in self.steps if (n in there) == forward}
        self._begin(conn, there)
        if not forward and not self.edited:
            self._edit(undo=True)
        self._tell(blockers.ahead(conn, [step for _, step in left]))
        with ExitStack() as held:
            # Where no connection is left for it, the steps go on unwatched.
            with suppress(UnreadableTarget):
                watcher = held.enter_context(self.target.connect())
                held.enter_context(blockers.watched(watcher, conn.info.backend_pid, self._tell, self.canary.timeline))
                if forward:  # what a rollback takes back makes the statements fail again
                    held.enter_context(self.canary.singing(self.target, self.plan))
            self._each(conn, guard, left if forward else left[::-1], found)

    def _each(
        self, conn: psycopg.Connection[Any], guard: psycopg.Connection[Any], left: list[Numbered], found: Progress
    ) -> None:
        unsure = found.asked.numbers if found.asked else ()
        calm = Calm(conn, self.canary, self.clock.seconds, self._tell)
        terms = Terms(
            say=self.journal.write,
            clock=self.clock,
            seen=lambda: self.seen.names(),
            timeline=self.canary.timeline,
            calm=calm.between_slices,
            filled={**found.filled},
        )
        for place, group in enumerate(execution.groups(left, self.direction)):
            guard.execute("SELECT")  # fails where this run has lost its turn
            if place:
                calm.before(group)
            self._group(conn, group, terms, again=any(number in unsure for number, _ in group))

    def _tell(self, seen: Blockers) -> None:
        """Show who is in the way, and write it down."""
        self.seen = seen or self.seen
        self.journal.note("blocked" if seen.waiting else "ahead", by=seen.names())
        self.show(seen)

    def _group(self, conn: psycopg.Connection[Any], group: list[Numbered], terms: Terms, *, again: bool) -> None:
        numbers = [number for number, _ in group]
        self.begun |= {*numbers}
        applied = execution.run(conn, group, self.direction, terms, again=again)
        self.done |= zip(numbers, applied, strict=True)
        self.journal.write("done", numbers=numbers, direction=self.direction)

    def _check(self, conn: psycopg.Connection[Any]) -> None:
        with read_only(conn):
            identity = identify(conn)
        planned = self.plan.target
        if identity.proof() != planned:
            raise WrongTarget(
                f"{self.target.reference} is the database {identity.database!r} as {identity.role!r}, which is not the "
                f"one that the plan was made for ({planned['database']!r} as {planned['role']!r}); nothing was changed."
            )
        require_primary(self.target, identity)
        permits.require(conn, self.plan, identity)

    def _wait_for(self, conn: psycopg.Connection[Any], found: Progress) -> None:
        """Wait until the session of the run before has ended: the server may still work for a client that is gone."""
        attempt = 0
        while found.session and conn.execute(_ALIVE, found.session).rowcount:
            attempt += 1
            if not self.clock.pause(attempt):
                raise LockNotObtained(
                    f"The session of the run before (pid {found.session[0]}) is still at work, so nothing was changed "
                    f"by this one. Wait until it ends, or end it, then run this again."
                )

    def _there(self, conn: psycopg.Connection[Any], found: Progress) -> frozenset[int]:
        """The numbers of the steps that are there; raises `SchemaMoved`."""
        if self.direction == "undo" and not found.open:
            with read_only(conn):
                live = snapshot.read(conn)
            if live.fingerprint() != self.fingerprint:
                resume.require(self.plan, live, len(self.steps))
            return frozenset(number for number, _ in self.steps)
        for edit in self.plan.edits if self.direction == "forward" else ():
            edits.check(edit, resumed=found.open)
        return resume.applied(self.plan, conn, found)

    def _begin(self, conn: psycopg.Connection[Any], there: frozenset[int]) -> None:
        """Write down who does what from where, and on which session."""
        plan = self.plan
        facts = {"steps": len(plan.steps), "edits": len(plan.edits), "there": sorted(there)}
        self.journal.write("started", direction=self.direction, digest=plan.digest, who=who(), **facts)
        row = conn.execute(_SESSION).fetchone()
        if row:
            self.journal.write("connected", pid=row[0], began=row[1])
        with suppress(psycopg.Error):  # not on every platform
            conn.execute("SET client_connection_check_interval = '1s'")

    def _edit(self, *, undo: bool) -> None:
        work: Callable[[edits.Edit], None] = edits.undo if undo else edits.run
        for edit in reversed(self.plan.edits) if undo else self.plan.edits:
            start = time.monotonic()
            earlier = edits.holds(edit, edit.before if undo else edit.after)
            if not earlier:
                self.journal.write("edit", path=edit.path, undo=undo)
                work(edit)
                self.journal.write("edited", path=edit.path)
            title = f"Undo: {edit.title}" if undo else edit.title
            self.edited.append(Applied(title=title, seconds=time.monotonic() - start, attempts=0 if earlier else 1))

    # ---- when it fails

    def _give_up(self, lost: Exception) -> NoReturn:
        """Say how far it came when the connection did not come back."""
        if isinstance(lost, MendbookError) and not self.begun:
            raise lost
        done = ", ".join(each.title for each in self.done.values()) or "nothing"
        raise ApplyFailed(
            f"The connection to {self.target.reference} was lost, and no other could be had in the time allowed. Done "
            f"until then, as far as is known: {done}. No step is half done: run this again when the database is back, "
            f"and it goes on from there. The journal holds what was said last."
        ) from None

    def _take_back(self, error: BaseException) -> NoReturn:
        """After a failure, undo what was done, and say what could not be undone."""
        reason = redaction.scrub(_said(error)).rstrip(".")
        titles = [each.title for each in (*self.edited, *self.done.values())]
        if not titles and isinstance(error, Refused | UnreadableTarget):
            raise error
        if self.direction == "undo" and not titles and isinstance(error, LockNotObtained):
            raise error
        if self.direction == "undo":
            back = ", ".join(titles) or "nothing"
            raise ApplyFailed(f"The rollback stopped: {reason}. Taken back until then: {back}. Run it again.") from None
        if not titles and isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise Refused(
                f"The role {self.plan.target['role']} may not do this ({error.diag.message_primary}), so nothing was "
                f"changed. Name a target with a role that owns the tables, and diagnose again."
            ) from None
        problems = []
        for edit in reversed(self.plan.edits):
            try:
                edits.undo(edit)
            except MendbookError as wrong:
                problems.append(str(wrong))
        # What ran outside a transaction may have left something behind even where it failed, such as an invalid index.
        for number, step in reversed(self.steps):
            if number in self.done or (number in self.begun and step.transaction is Transaction.NONE):
                problems += self._undo_step(number, step)
        self.journal.note("taken back", steps=titles, problems=problems)
        if not titles and not problems and isinstance(error, LockNotObtained):
            raise error
        if problems:
            raise ApplyFailed(f"{reason}. This could not be undone and is still there: {'; '.join(problems)}") from None
        raise ApplyFailed(
            f"{reason}. Everything that had been done was undone; the database is as it was before."
        ) from None

    def _undo_step(self, number: int, step: Step) -> list[str]:
        note = self.journal.note
        terms = Terms(say=note, clock=Clock(TAKE_BACK_S), timeline=self.canary.timeline)
        try:
            with self.target.connect() as conn:
                for group in execution.groups([(number, step)], "undo"):
                    execution.run(conn, group, "undo", terms, again=True)
                    note("done", numbers=[number], direction="undo")
        except (MendbookError, psycopg.Error) as error:
            return [f"{step.title} ({redaction.scrub(_said(error))})"]
        lost = "" if step.undo else step.undo_loses or step.loses
        return [f"{step.title} ({lost})"] if lost else []


def _earlier(step: Step) -> Applied:
    return Applied(title=step.title, seconds=0.0, attempts=0)


def _is_loss(error: Exception) -> bool:
    """Whether another connection may go on: the server went away, ended the session, or became a standby."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        lost = isinstance(error, psycopg.OperationalError) and (state is None or state[:3] in ("57P", "080"))
        return lost or isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
    return isinstance(error, UnreadableTarget) and unreachable.passes(error)


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"PostgreSQL said {error.sqlstate}: {error.diag.message_primary}"
    return str(error).strip()
