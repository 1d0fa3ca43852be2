"""The sessions that a plan ends: each found when the plan is made, and named so that no other one is ever met.

A pid alone is used again by the server; together with the time at which the session began it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from mendbook.errors import Refused
from mendbook.runbook import Runbook
from mendbook.runbook_text import EndSessions, Option, Value
from mendbook.schema.step import Step, Transaction

END_MS = 5_000  # the server's time to end one session

# What the server has written for a transaction has an xid; without one there is nothing that could be lost. Ending a
# session wants its role's privileges or pg_signal_backend, and for a superuser's a superuser (manual, section 9.28.2).
_IDLE: LiteralString = """
SELECT a.pid, a.backend_start AS began, a.usename::text AS role, a.application_name AS application, a.state,
       a.state_change AS since, a.backend_xid IS NOT NULL AS wrote,
       CASE WHEN r.rolsuper THEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            ELSE pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE') END AS ours
FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.pid = ANY (%s::int[]) AND a.pid <> pg_backend_pid() AND a.datname = current_database()
  AND a.backend_type = 'client backend' AND a.state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')
ORDER BY a.state_change, a.pid
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An idle session of the target."""

    pid: int
    began: datetime
    role: str
    application: str
    state: str  # as pg_stat_activity has it
    since: datetime  # when it came into this state
    wrote: bool  # its transaction holds changes that are not committed
    ours: bool  # this role may end it

    def __str__(self) -> str:
        who = ", ".join(filter(None, [self.role, self.application]))
        return f"{self.pid} ({who}), {self.state} since {self.since:%Y-%m-%d %H:%M:%S %Z}"


def steps(
    conn: psycopg.Connection[Any], runbook: Runbook, option: Option, values: Mapping[str, Value]
) -> Iterator[Step]:
    """The steps that end the sessions which *option* asks for, as they are in the transaction that is open on *conn*.

    Raises `Refused` where there is none, and for one that this role may not end.
    """
    for each in option.steps:
        if isinstance(each, EndSessions):
            found = _find(conn, runbook.fill(each.end_sessions, values))
            if not found:
                raise Refused(
                    f"No idle session that this role can see fits the option {option.id}, so it would end none; "
                    f"nothing was changed. Choose another option."
                )
            yield from map(_ending, found)


def _find(conn: psycopg.Connection[Any], query: str) -> list[Session]:
    try:
        pids = [row[0] for row in conn.execute(query.encode()).fetchall()]
    except psycopg.Error as error:
        raise Refused(
            f"The target does not say which sessions to end ({error.diag.message_primary}); nothing was changed. "
            f"Correct the option's end_sessions."
        ) from None
    with conn.cursor(row_factory=class_row(Session)) as cursor:
        found = cursor.execute(_IDLE, [pids]).fetchall()
    for each in found:
        if not each.ours:
            raise Refused(
                f"This role may not end the session {each}; nothing was changed. Name a target whose role is a member "
                f"of {each.role} or of pg_signal_backend, or end it by hand."
            )
    return found


def _ending(session: Session) -> Step:
    """End it only while it is the same session, in the state that was planned for."""
    untouched = sql.SQL("") if session.wrote else sql.SQL(" AND backend_xid IS NULL")
    end = sql.SQL(
        "SELECT pg_terminate_backend(pid, {wait}) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {began} "
        "AND datname = current_database() AND state = {state}"
    ).format(
        wait=sql.Literal(END_MS),
        pid=sql.Literal(session.pid),
        began=sql.Literal(session.began.isoformat()),
        state=sql.Literal(session.state),
    )
    return Step(
        title=f"End the session {session}",
        forward=((end + untouched).as_string(None),),
        undo=(),
        transaction=Transaction.OWN,  # within one, pg_stat_activity goes on showing what it showed at first
        loses="the changes that its transaction has not committed" if session.wrote else "",
        passing=True,
    )
