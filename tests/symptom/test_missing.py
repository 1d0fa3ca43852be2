from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from mendbook.symptom import missing, parsing, statements
from mendbook.symptom.missing import Missing

SCHEMA = """
CREATE SCHEMA auth;
CREATE TABLE auth."Users" (id int, name text);
CREATE TABLE a (id int, name text);
CREATE TABLE b (id int);
"""


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(SCHEMA)
        yield conn


CASES = [
    ("SELECT gone FROM a", "42703", Missing(table="a", column="gone")),
    ("SELECT x.gone FROM a x JOIN b ON true", "42703", Missing(table="a", column="gone")),
    ('SELECT u."Gone" FROM auth."Users" u', "42703", Missing(schema="auth", table="Users", column="Gone")),
    ('SELECT auth."Users".gone FROM auth."Users"', "42703", Missing(schema="auth", table="Users", column="gone")),
    ("SELECT gone FROM a, b", "42703", Missing(column="gone")),
    ("SELECT gone FROM a WHERE id IN (SELECT id FROM a)", "42703", Missing(column="gone")),
    ("WITH x AS (SELECT 1 AS one) SELECT x.gone FROM x", "42703", Missing(column="gone")),
    ("SELECT * FROM a JOIN b USING (gone)", "42703", Missing(column="gone")),
    ("SELECT (x).gone FROM a x", "42703", Missing()),
    ("UPDATE a SET gone = 1 FROM b", "42703", Missing(table="a", column="gone")),
    ('UPDATE auth."Users" u SET gone = 1', "42703", Missing(schema="auth", table="Users", column="gone")),
    ("UPDATE a x SET x.id = 1", "42703", Missing(table="a", column="x")),
    ("UPDATE a SET id = gone WHERE name = 'a'", "42703", Missing(table="a", column="gone")),
    ("INSERT INTO a (id, gone) SELECT 1, 2 FROM b", "42703", Missing(table="a", column="gone")),
    ("INSERT INTO a (id) VALUES (1) ON CONFLICT (gone) DO NOTHING", "42703", Missing(column="gone")),
    ("INSERT INTO a (id) SELECT gone FROM b", "42703", Missing(column="gone")),
    ("DELETE FROM a WHERE gone", "42703", Missing(table="a", column="gone")),
    ("SELECT id FROM gone", "42P01", Missing(table="gone")),
    ("SELECT id FROM auth.users", "42P01", Missing(schema="auth", table="users")),
    ("SELECT id FROM gone.a", "42P01", Missing(schema="gone", table="a")),
    ("SELECT x.id FROM a", "42P01", Missing(table="x")),
    ("SELECT id FROM a FOR UPDATE OF x", "42P01", Missing(table="x")),
    ("SELECT nextval('auth.gone')", "42P01", Missing(schema="auth", table="gone")),
    ("SELECT gone(id) FROM a", "42883", Missing(other="gone")),
    ("SELECT auth.gone(id) FROM a", "42883", Missing(schema="auth", other="gone")),
    ("SELECT id + name FROM a", "42883", Missing()),
    ("SELECT gone.f(id) FROM a", "3F000", Missing(schema="gone")),
    ("SELECT id::gone FROM a", "42704", Missing(other="gone")),
    ("SELECT id::auth.gone FROM a", "42704", Missing(schema="auth", other="gone")),
    ("SELECT id,, FROM a", "42601", Missing()),
]


@pytest.mark.parametrize(("sql", "sqlstate", "expected"), CASES, ids=[sql for sql, _, _ in CASES])
def test_what_is_missing(sql: str, sqlstate: str, expected: Missing, conn: psycopg.Connection) -> None:
    (refusal,) = parsing.parse(conn, [sql])
    assert refusal is not None
    assert refusal.sqlstate == sqlstate
    statement = statements.normalise(sql)
    assert missing.find(statement, refusal.sqlstate, refusal.message, refusal.position) == expected


def test_the_language_of_the_message_does_not_matter() -> None:
    statement = statements.normalise("UPDATE a SET gone = 1 FROM b")
    for message in (
        "Spalte »gone« von Relation »a« existiert nicht",
        "la colonne « gone » de la relation « a » n'existe pas",
        'リレーション"a"の列"gone"は存在しません',
    ):
        assert missing.find(statement, "42703", message, 14) == Missing(table="a", column="gone")


def test_it_reads_as_a_qualified_name() -> None:
    assert str(Missing(schema="auth", table="Users", column="id")) == "auth.Users.id"
    assert str(Missing()) == ""
