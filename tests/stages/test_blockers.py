"""Who is in the way: prepared transactions, old snapshots, slots that are behind; and who only seems to be."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from mendbook import embedded
from mendbook.schema.locks import Lock
from mendbook.schema.step import Step, Transaction
from mendbook.stages import blockers

T = '"public"."t"'
ALTER = Step(title="Add a column", forward=(), undo=(), locks={T: Lock.ACCESS_EXCLUSIVE})
BUILD = Step(
    title="Build an index",
    forward=(),
    undo=(),
    locks={T: Lock.SHARE_UPDATE_EXCLUSIVE},
    transaction=Transaction.NONE,
)
FILL = Step(title="Fill", forward=(), undo=(), locks={T: Lock.ROW_EXCLUSIVE}, transaction=Transaction.NONE)


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str]:
    server = embedded.start(settings={"max_prepared_transactions": "5"})
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int)")
    yield server.conninfo()
    server.stop()


@pytest.fixture
def conn(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        yield opened


@pytest.fixture
def other(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, application_name="reporting") as opened:
        yield opened


def test_a_prepared_transaction_is_in_the_way_without_a_session(
    conn: psycopg.Connection, other: psycopg.Connection
) -> None:
    other.execute("INSERT INTO t VALUES (1)")
    other.execute("PREPARE TRANSACTION 'order 7'")
    other.autocommit = True
    try:
        [found] = blockers.ahead(conn, [ALTER]).found
    finally:
        other.execute("ROLLBACK PREPARED 'order 7'")
    assert (found.who, found.what, found.role) == ("'order 7'", "prepared transaction", "postgres")
    assert found.why == f"holds ROW EXCLUSIVE on {T}"


def test_only_locks_that_conflict_are_in_the_way(conn: psycopg.Connection, other: psycopg.Connection) -> None:
    other.execute("LOCK TABLE t IN ACCESS SHARE MODE")
    assert not blockers.ahead(conn, [BUILD, FILL])
    [found] = blockers.ahead(conn, [BUILD, ALTER]).found
    assert str(found).startswith(f"pid {other.info.backend_pid} (idle in transaction for 0 s, postgres, reporting)")


def test_an_old_snapshot_is_in_the_way_of_what_waits_for_all_snapshots(
    conn: psycopg.Connection, other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blockers, "LONG_S", 0)
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    other.execute("SELECT 1")
    assert not blockers.ahead(conn, [ALTER])
    [found] = blockers.ahead(conn, [BUILD]).found
    assert (found.who, found.why) == (f"pid {other.info.backend_pid}", "holds an old snapshot")


def test_a_slot_that_is_behind_is_named_where_rows_are_written(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blockers, "LAG", -1)
    conn.execute("SELECT pg_create_physical_replication_slot('sleeper', true)")
    try:
        assert not blockers.ahead(conn, [ALTER])
        [found] = blockers.ahead(conn, [FILL]).found
    finally:
        conn.execute("SELECT pg_drop_replication_slot('sleeper')")
    assert (found.who, found.what) == ("replication slot sleeper", "not in use")


def test_who_is_named_is_shortened_and_shown_as_a_table(conn: psycopg.Connection, other: psycopg.Connection) -> None:
    other.execute("LOCK TABLE t")
    other.execute("SELECT '" + "x" * 500 + "'")
    seen = blockers.ahead(conn, [ALTER])
    assert len(seen.found[0].query) == blockers.QUERY + 1
    assert "reporting" in seen._repr_html_()
    assert "reporting" in str(seen)
