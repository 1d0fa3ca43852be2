"""Drift: what differs, seen from the live side, in a notebook and in text."""

from __future__ import annotations

import re
from collections.abc import Callable

from mendbook.schema import drift

from tests.helpers import read

LIVE = (
    "CREATE TABLE users (id int, name varchar(20), old text); CREATE TABLE kept (a int); CREATE VIEW v AS SELECT 1 AS x"
)
DESIRED = "CREATE TABLE users (id bigint, name varchar(20), seen timestamptz DEFAULT now()); CREATE TABLE kept (a int)"


def test_each_difference_is_named_with_both_sides(make_database: Callable[[str], str]) -> None:
    found = drift.compare(read(make_database(LIVE)), read(make_database(DESIRED)))
    assert found.rows() == [
        ("changed", "column public.users.id", "type: integer", "type: bigint"),
        ("missing", "column public.users.seen", "—", "timestamp with time zone DEFAULT now()"),
        ("extra", "column public.users.old", "text", "—"),
        ("extra", "view public.v", " SELECT 1 AS x;", "—"),
    ]
    assert re.search(r"^missing +column public\.users\.seen +— +timestamp", str(found), re.MULTILINE)
    page = found._repr_html_()
    assert page.count("<tr>") == 5
    assert "border-left" in page


def test_equal_schemas_have_no_drift_whatever_the_order_of_columns(make_database: Callable[[str], str]) -> None:
    one, two = (
        read(make_database("CREATE TABLE t (a int, b int)")),
        read(make_database("CREATE TABLE t (b int, a int)")),
    )
    assert not drift.compare(one, two)
    assert str(drift.compare(one, two)) == "No difference."
    assert one.fingerprint() == two.fingerprint()


def test_a_fingerprint_sees_every_kind_of_change(make_database: Callable[[str], str]) -> None:
    start = (
        "CREATE TABLE t (a int NOT NULL, b text DEFAULT 'x'); CREATE INDEX i ON t (a); CREATE TYPE e AS ENUM ('a');"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE SEQUENCE s; CREATE VIEW v AS SELECT a FROM t;"
    )
    changes = [
        "SELECT",
        "ALTER TABLE t ALTER a DROP NOT NULL",
        "ALTER TABLE t ALTER b SET DEFAULT 'y'",
        "ALTER TABLE t ALTER b TYPE varchar",
        "ALTER TABLE t ADD CHECK (a > 0)",
        "ALTER TABLE t ADD UNIQUE (a)",
        "ALTER TABLE t SET (fillfactor = 50)",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER INDEX i RENAME TO j",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
        "ALTER TYPE e ADD VALUE 'b'",
        "ALTER SEQUENCE s INCREMENT BY 2",
        "CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 1",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER g",
        "COMMENT ON COLUMN t.a IS 'x'",
        "CREATE SCHEMA n",
        "CREATE EXTENSION hstore",
    ]
    seen = [read(make_database(f"{start}{change}")).fingerprint() for change in changes]
    assert len(set(seen)) == len(changes)
