from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from mendbook import errors
from mendbook.symptom import parsing
from psycopg import pq


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE users (id int, name text); CREATE TABLE busy (id int)")
        yield conn


def sqlstates(answers: list[parsing.Refusal | None]) -> list[str | None]:
    return [answer.sqlstate if answer else None for answer in answers]


def test_each_statement_gets_its_own_answer(conn: psycopg.Connection) -> None:
    answers = parsing.parse(
        conn, ["SELECT id FROM users", "SELECT é FROM users", "SELECT FROM FROM", "", "SELECT 1", "SELECT 1 FROM nope"]
    )
    assert sqlstates(answers) == [None, "42703", "42601", None, None, "42P01"]
    assert answers[1] == parsing.Refusal(sqlstate="42703", message='column "é" does not exist', hint=None, position=8)


@pytest.mark.parametrize("bad", [1, 2, 7, 1000])
def test_failures_take_no_others_with_them(conn: psycopg.Connection, bad: int) -> None:
    count = 2 * parsing.IN_FLIGHT + 3
    statements = [f"SELECT {n}, {'nope' if n % bad == 0 else 'id'} FROM users" for n in range(count)]
    expected = ["42703" if n % bad == 0 else None for n in range(count)]
    assert sqlstates(parsing.parse(conn, statements)) == expected


def test_no_statement_at_all(conn: psycopg.Connection) -> None:
    assert parsing.parse(conn, []) == []


def test_more_than_the_buffers_hold(conn: psycopg.Connection) -> None:
    statements = [f"SELECT '{'x' * 50_000}', nope_{n}_{'y' * 40}" for n in range(parsing.IN_FLIGHT)]
    assert sqlstates(parsing.parse(conn, statements)) == ["42703"] * parsing.IN_FLIGHT


def test_nothing_is_executed_and_no_lock_is_kept(conn: psycopg.Connection, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other, conn.transaction():
        parsing.parse(
            conn, ["UPDATE users SET id = 1", "SELECT nope", "INSERT INTO users VALUES (1)", "DROP TABLE users"]
        )
        assert conn.info.transaction_status == pq.TransactionStatus.INTRANS
        other.execute("SET lock_timeout = '1s'")
        other.execute("ALTER TABLE users ADD COLUMN mail text")
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_nothing_is_left_behind(conn: psycopg.Connection) -> None:
    assert parsing.parse(conn, ["SELECT 1", "SELECT nope"])[0] is None
    assert conn.info.transaction_status == pq.TransactionStatus.IDLE
    assert conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_locked_table_holds_up_its_own_statements_only(conn: psycopg.Connection, database: str) -> None:
    with psycopg.connect(database) as other, conn.transaction():
        other.execute("LOCK TABLE busy")
        conn.execute("SET LOCAL lock_timeout = '20ms'")
        answers = parsing.parse(conn, ["SELECT id FROM users", "SELECT id FROM busy", "SELECT nope FROM users"])
    assert sqlstates(answers) == [None, "55P03", "42703"]


def test_a_lost_connection_is_said(conn: psycopg.Connection, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [conn.info.backend_pid])
    with pytest.raises(errors.Surroundings, match="connection to the target was lost"):
        parsing.parse(conn, ["SELECT 1"])


def test_a_connection_lost_on_the_way_is_said(conn: psycopg.Connection, database: str) -> None:
    with psycopg.connect(database) as other, ThreadPoolExecutor() as threads:
        other.execute("LOCK TABLE busy")
        threads.submit(terminate_when_waiting, database, conn.info.backend_pid)
        with pytest.raises(errors.Surroundings, match="connection to the target was lost"):
            parsing.parse(conn, ["SELECT id FROM busy"] * 3)


def terminate_when_waiting(database: str, pid: int) -> None:
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(database, autocommit=True) as conn:
        while conn.execute(waits, [pid]).fetchone() != (True,):
            time.sleep(0.01)
        conn.execute("SELECT pg_terminate_backend(%s)", [pid])
