from __future__ import annotations

import psycopg
import pytest
from mendbook.stages import repeatable

from tests.helpers import fingerprint, run

MADE = """
CREATE SCHEMA s; CREATE EXTENSION citext;
CREATE TABLE "a ""b" (id int PRIMARY KEY, n int);
CREATE SEQUENCE q;
"""
FORMS = [
    ("CREATE SCHEMA more", "CREATE SCHEMA IF NOT EXISTS more"),
    ("CREATE EXTENSION hstore", "CREATE EXTENSION IF NOT EXISTS hstore"),
    ("CREATE SEQUENCE s.q", "CREATE SEQUENCE IF NOT EXISTS s.q"),
    ("CREATE TABLE t (id int)", "CREATE TABLE IF NOT EXISTS t (id int)"),
    ("CREATE UNLOGGED TABLE t (id int)", "CREATE UNLOGGED TABLE IF NOT EXISTS t (id int)"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1"),
    ('CREATE INDEX i ON "a ""b" (n)', 'CREATE INDEX IF NOT EXISTS i ON "a ""b" (n)'),
    (
        'CREATE UNIQUE INDEX CONCURRENTLY i ON "a ""b" (n)',
        'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON "a ""b" (n)',
    ),
    (
        'ALTER TABLE public."a ""b" ADD COLUMN c int',
        'ALTER TABLE public."a ""b" ADD COLUMN IF NOT EXISTS c int',
    ),
    ('ALTER TABLE "a ""b" DROP COLUMN n', 'ALTER TABLE "a ""b" DROP COLUMN IF EXISTS n'),
    ('ALTER TABLE "a ""b" DROP CONSTRAINT "a ""b_pkey"', 'ALTER TABLE "a ""b" DROP CONSTRAINT IF EXISTS "a ""b_pkey"'),
    ("DROP SEQUENCE q", "DROP SEQUENCE IF EXISTS q"),
    ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY IF EXISTS i"),
    ("DROP SCHEMA s", "DROP SCHEMA IF EXISTS s"),
]
BLOCKS = [
    'ALTER TABLE "a ""b" ADD CONSTRAINT "k ""1" CHECK (n > 0) NOT VALID',
    "CREATE TYPE t AS ENUM ('$do$', ';')",
    "CREATE DOMAIN d AS int",
    'CREATE TRIGGER g BEFORE UPDATE ON "a ""b" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
]
PLAIN = [
    'ALTER TABLE "a ""b" ALTER n SET DEFAULT 1',
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON SCHEMA s IS 'DROP TABLE t'",
    "CREATE TABLE IF NOT EXISTS t (id int)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s (n)",
    "DROP INDEX CONCURRENTLY IF EXISTS i",
    "CREATE TABLESPACE x LOCATION '/y'",
]


@pytest.mark.parametrize(("plain", "repeated"), FORMS)
def test_what_postgresql_has_a_condition_for_gets_it(plain: str, repeated: str) -> None:
    assert repeatable.form(plain) == repeated
    assert repeatable.form(repeated) == repeated


@pytest.mark.parametrize("statement", PLAIN)
def test_all_else_stays_as_it_is(statement: str) -> None:
    assert repeatable.form(statement) == statement


@pytest.mark.parametrize("statement", [*(plain for plain, _ in FORMS), *BLOCKS])
def test_it_can_run_twice_and_does_what_the_plain_one_does(database: str, statement: str) -> None:
    run(database, MADE)
    before = fingerprint(database)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(repeatable.form(statement).encode())
        once = fingerprint(database)
        conn.execute(repeatable.form(statement).encode())
    assert fingerprint(database) == once
    assert (once == before) == statement.startswith("DROP INDEX")  # of which there is none
