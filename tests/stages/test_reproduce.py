"""What PostgreSQL says of a statement that nobody runs."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from mendbook.stages import reproduce
from mendbook.target import read_only

SHOP = """
CREATE TABLE prices (id bigint PRIMARY KEY, amount numeric);
CREATE TABLE journal (id bigint);
CREATE FUNCTION note() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO journal VALUES (1) RETURNING 1';
"""


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("INSERT INTO prices (id, amount) VALUES ($1, note()) ON CONFLICT (id) DO NOTHING", ""),
        ("INSERT INTO prices (id, amount) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET amount = 3", ""),
        ("INSERT INTO prices (id, amount) VALUES ($1, $2) ON CONFLICT (amount) DO NOTHING", "42P10"),
        ("INSERT INTO prices (id) VALUES (1) ON CONFLICT ON CONSTRAINT gone DO NOTHING", "42704"),
        ("INSERT INTO prices (id, gone) VALUES ($1, $2) ON CONFLICT (amount) DO NOTHING", "42703"),
        ("SELECT id FROM prices WHERE $1 IS NULL", ""),  # only the value tells the type of $1
        ("SELECT gone FROM prices WHERE $1 IS NULL", "42703"),
        ("SELECT note()", ""),
        ("DROP TABLE prices", ""),
        ("SELECT 1; DROP TABLE prices", "42601"),
        ("COMMIT", ""),
        ("", ""),
    ],
)
def test_a_statement_is_judged_and_not_run(sql: str, sqlstate: str, make_database: Callable[[str], str]) -> None:
    with psycopg.connect(make_database(SHOP), autocommit=True) as conn:
        with read_only(conn):
            outcomes = [reproduce.judge(conn, "one", "app.py:1", sql) for _ in range(2)]
            assert [each.sqlstate for each in outcomes] == [sqlstate, sqlstate]
            assert conn.execute("SELECT FROM prices").rowcount == 0
        assert conn.execute("SELECT FROM journal").rowcount == 0
        assert conn.execute("SELECT FROM pg_prepared_statements").rowcount == 0
