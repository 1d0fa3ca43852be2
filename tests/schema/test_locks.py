"""The table of lock conflicts, against a real server."""

from __future__ import annotations

import psycopg
import pytest
from mendbook.schema import locks
from mendbook.schema.locks import Lock


@pytest.mark.parametrize("held", Lock, ids=str)
def test_conflicts_are_those_of_the_server(held: Lock, database: str) -> None:
    with psycopg.connect(database) as one, psycopg.connect(database, autocommit=True) as two:
        two.execute("CREATE TABLE t ()")
        one.execute(f"LOCK TABLE t IN {held} MODE")
        for asked in Lock:
            with two.transaction():
                two.execute("SET LOCAL lock_timeout = '20ms'")
                try:
                    with two.transaction():
                        two.execute(f"LOCK TABLE t IN {asked} MODE NOWAIT")
                    refused = False
                except psycopg.errors.LockNotAvailable:
                    refused = True
            assert held.conflicts(asked) == refused, asked
        seen = two.execute(
            "SELECT mode FROM pg_locks WHERE pid = %s AND relation = 't'::regclass", [one.info.backend_pid]
        )
        assert {locks.from_pg(row[0]) for row in seen} == {held}


def test_what_a_lock_blocks_is_said_in_words() -> None:
    assert locks.blocks(Lock.ACCESS_EXCLUSIVE) == "all reads and writes"
    assert locks.blocks(Lock.SHARE_ROW_EXCLUSIVE) == "writes, other schema changes and VACUUM"
    assert locks.blocks(Lock.SHARE_UPDATE_EXCLUSIVE) == "other schema changes and VACUUM"
    assert locks.blocks(Lock.ACCESS_SHARE) == "nothing that applications do"
    assert locks.blocks(None) == "nothing"
