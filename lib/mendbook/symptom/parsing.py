"""Statements judged by the server: each is Parsed, none is executed.

Parse (what ``PREPARE`` does) looks up every table, column, function and type that a statement names, and needs no
values. Many are in flight at once, in pipeline mode. After an error the server passes over everything up to the next
Sync, and its transaction takes no more statements before ``ROLLBACK TO SAVEPOINT``. So a batch is sent at first with
one Sync at its end, which is quick where nothing fails; what came after a failing statement is sent again, now with a
Sync and a rollback after each.

All of it happens in one transaction and with unnamed prepared statements, so that a pooler in transaction mode
changes nothing. The rollbacks also give back the locks that Parse takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from psycopg.waiting import Ready, Wait

from mendbook import target
from mendbook.errors import Surroundings

IN_FLIGHT = 200  # statements of a batch

# Statements whose names the server looks up when it Parses them; all others only when it executes them.
ANALYSED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "EXPLAIN", "DECLARE", "CALL"})

_SAVEPOINT = "SAVEPOINT mendbook_parse"
_ROLLBACK = f"ROLLBACK TO {_SAVEPOINT}".encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why the server does not take a statement."""

    sqlstate: str
    message: str  # the primary message, in the server's language
    hint: str | None
    position: int | None  # 1-based, in characters of the statement


def parse(conn: psycopg.Connection[Any], statements: Sequence[str]) -> list[Refusal | None]:
    """Return for each of *statements* why the server refuses it, None where it does not.

    Uses the transaction that is open on *conn*, which stays as it was; where there is none, a read-only one with time
    limits. Raises `Surroundings` if the connection is lost.
    """
    idle = conn.info.transaction_status == pq.TransactionStatus.IDLE
    encoding = conn.info.encoding
    answers: list[pq.abc.PGresult] = []
    try:
        with target.read_only(conn) if idle else nullcontext():
            conn.execute(_SAVEPOINT)
            with conn.pipeline():
                for start in range(0, len(statements), IN_FLIGHT):
                    batch = [sql.encode(encoding, "replace") for sql in statements[start : start + IN_FLIGHT]]
                    answers += _judge(conn, batch)
            conn.execute(f"RELEASE {_SAVEPOINT}")
    except psycopg.OperationalError as error:
        raise Surroundings(
            "The connection to the target was lost while statements were judged; nothing was changed. "
            f"Run this again. ({str(error).strip()})"
        ) from None
    return [_refusal(answer, encoding) for answer in answers]


def _judge(conn: psycopg.Connection[Any], batch: Sequence[bytes]) -> list[pq.abc.PGresult]:
    """Return one answer to each statement of the batch."""
    answers = conn.wait(_exchange(conn.pgconn, batch, one_by_one=False))[: len(batch)]
    failed = next((n for n, answer in enumerate(answers) if answer.status != pq.ExecStatus.COMMAND_OK), None)
    if failed is None:
        return answers
    again = conn.wait(_exchange(conn.pgconn, batch[failed + 1 :], one_by_one=True))
    return answers[: failed + 1] + again[::4]


def _exchange(pgconn: pq.abc.PGconn, batch: Sequence[bytes], *, one_by_one: bool) -> PQGen[list[pq.abc.PGresult]]:
    """Send Parse for the statements; every answer comes, in order, also those to Syncs and rollbacks."""
    expected = 0
    for number, statement in enumerate(batch, start=1):
        pgconn.send_prepare(b"", statement)
        expected += 1
        if one_by_one or number == len(batch):
            pgconn.pipeline_sync()
            pgconn.send_query_params(_ROLLBACK, None)
            pgconn.pipeline_sync()
            expected += 3
    return _receive(pgconn, expected)


def _receive(pgconn: pq.abc.PGconn, expected: int) -> PQGen[list[pq.abc.PGresult]]:
    """Read while sending: neither side may fill up what the other does not empty."""
    answers: list[pq.abc.PGresult] = []
    unsent = True
    while len(answers) < expected:
        ready = yield Wait.RW if unsent else Wait.R
        if ready & Ready.R:
            pgconn.consume_input()
        unsent = unsent and pgconn.flush() != 0
        while len(answers) < expected and not pgconn.is_busy():
            answer = pgconn.get_result()
            if answer is not None:
                answers.append(answer)
            elif pgconn.status == pq.ConnStatus.BAD:
                raise psycopg.OperationalError(pgconn.get_error_message())
    return answers


def _refusal(answer: pq.abc.PGresult, encoding: str) -> Refusal | None:
    if answer.status == pq.ExecStatus.COMMAND_OK:
        return None
    said = Diagnostic(answer, encoding)
    return Refusal(
        sqlstate=said.sqlstate or "",
        message=said.message_primary or "",
        hint=said.message_hint,
        position=int(said.statement_position) if said.statement_position else None,
    )
