"""The values of a runbook's parameters: hostile ones, needed ones, and how each stands in SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from mendbook import authoring, runbook
from mendbook.errors import Usage
from mendbook.runbook_text import Parameter
from mendbook.runbook_values import coerce
from mendbook.stages import reproduce

HOSTILE = ['"; DROP TABLE users; --', "it's", 'a"b', "Łódź", "<b>", "two\nlines", "a.b", "${table}", "'${table}'"]


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("expression", "now()"),
        ("expression", "('x' || $$)$$)"),
        ("expression", "'; DROP TABLE users; --'"),
        ("statement", "SELECT ';' FROM orders"),
        ("statement", "SELECT 1;"),
        ("ddl", "CREATE TABLE t (id int); COMMENT ON TABLE t IS 'a;b'"),
        ("identifiers", "user_id, name"),
        ("type", "timestamp(6) with time zone[]"),
    ],
)
def test_sql_that_is_whole_is_taken(type: str, value: str) -> None:
    assert coerce("n", parameter(type), value)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("expression", "0; DROP TABLE users"),
        ("expression", "0) CHECK (true"),
        ("expression", "(0"),
        ("expression", "0 -- and so on"),
        ("expression", "0 /* and so on"),
        ("expression", "'open"),
        ("expression", ""),
        ("expression", "\\! rm"),
        ("expression", "0\0"),
        ("statement", "SELECT 1; DROP TABLE users"),
        ("statement", "SELECT 'open"),
        ("statement", "\\copy users to 'x'"),
        ("statement", ""),
        ("ddl", "CREATE TABLE t (id int); \\! rm -r x"),
        ("ddl", "COPY t FROM stdin;\n1\n\\.\n"),
        ("ddl", 'CREATE TABLE "t (id int)'),
        ("identifiers", "a,,b"),
        ("identifiers", "x" * 64),
        ("type", "text; DROP TABLE users"),
        ("type", "text DEFAULT 0"),
        ("type", "…"),
        ("identifier", "\ud800"),
        ("text", "a\0"),
    ],
)
def test_sql_that_would_reach_further_is_refused(type: str, value: str) -> None:
    with pytest.raises(Usage, match="The parameter n wants"):
        coerce("n", parameter(type), value)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("2026-03-02 08:14:55.102 UTC", "2026-03-02 08:14:55.102000+00:00"),
        ("2026-03-02T08:14:55Z", "2026-03-02 08:14:55+00:00"),
        (" 2026-03-02 08:14+01:00", "2026-03-02 08:14:00+01:00"),
        ("2026-03-02 08:14:55", None),
        ("2026-03-02", None),
        ("yesterday", None),
        ("2026-13-02 08:14:55Z", None),
        (None, None),
        (7, None),
    ],
)
def test_a_time_has_its_zone(given: object, value: str | None) -> None:
    if value:
        assert coerce("n", parameter("timestamp"), given) == value
    else:
        with pytest.raises(Usage, match="The parameter n wants a time with its zone, such as"):
            coerce("n", parameter("timestamp"), given)


def parameter(type: str) -> Parameter:
    return Parameter.model_validate({"type": type, "description": "a value"})


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_name_stays_a_name(value: str, database: str) -> None:
    book = runbook.find("missing-schema")
    with psycopg.connect(database, autocommit=True) as conn:
        filled = book.fill("CREATE SCHEMA ${schema}; SELECT '${schema}'::regnamespace::oid", {"schema": value})
        conn.execute(filled.encode())
        assert conn.execute("SELECT FROM pg_namespace WHERE nspname = %s", [value]).rowcount == 1


def test_a_schema_that_is_left_empty_is_left_to_the_search_path() -> None:
    book = runbook.find("missing-table")
    values = {"schema": "", "table": "a.b"}
    assert book.fill("SELECT FROM ${schema}.${table}", values) == 'SELECT FROM "a.b"'
    assert book.fill("SELECT FROM ${schema}.${table}", {**values, "schema": "s"}) == 'SELECT FROM "s"."a.b"'


def test_what_is_needed_is_named_with_what_it_means() -> None:
    with pytest.raises(Usage, match=re.escape("-p type=…  the column's type")):
        runbook.find("missing-column").values({"table": "orders", "column": "total"})


def test_a_statement_that_the_text_does_not_hold_is_left_out() -> None:
    book = runbook.find("missing-column")
    given = {"table": "orders", "column": "total", "type": "numeric"}
    assert [each.id for each in book.statements(book.values(given))] == ["column"]
    whole = book.values({**given, "statement": "SELECT total FROM orders", "location": "a.py:3"})
    assert next((each.id, each.at) for each in book.statements(whole)) == ("failing", "a.py:3")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("sql: UPDATE orders SET shipped_at = now() WHERE id = ${d}", "only ever runs on a clone; use it in a step"),
        ("sql: SELECT 'at ${t}' FROM orders", "a value stands alone in its quotes"),
    ],
)
def test_a_template_that_would_be_filled_in_wrong_is_no_runbook(where: str, said: str, tmp_path: Path) -> None:
    folder = authoring.start("orders-total", tmp_path)
    path = folder / "runbook.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("sql: UPDATE orders SET shipped_at = now() WHERE id = $1", where)
    given = "parameters:\n  d: {type: ddl, description: x}\n  t: {type: identifier, default: t, description: x}\n"
    path.write_text(text.replace("statements:\n", f"{given}\nstatements:\n", 1), encoding="utf-8")
    assert said in "\n".join(runbook.problems(folder))


def test_a_statement_is_parsed_and_never_run(tmp_path: Path) -> None:
    folder = authoring.start("orders-total", tmp_path)
    path = folder / "runbook.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "sql: ALTER TABLE orders ADD COLUMN shipped_at timestamptz", "sql: ${s}"
    )
    given = "parameters:\n  s: {type: statement, description: x}\n"
    path.write_text(text.replace("statements:\n", f"{given}\nstatements:\n", 1), encoding="utf-8")
    assert "is only ever parsed; use it under statements" in "\n".join(runbook.problems(folder))


def test_a_question_to_the_catalog_is_answered_with_rows(make_database: Callable[[str], str]) -> None:
    book = runbook.find("not-null-without-default")
    values = book.values({"schema": "Shop", "table": "it's", "column": 'a"b', "default": "0"})
    script = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."it\'s" ("a""b" int NOT NULL {})'
    with psycopg.connect(make_database(script.format(""))) as conn:
        [found] = reproduce.run(conn, book, values).outcomes
        assert (found.sqlstate, 'a""b' in found.message) == ("23502", True)
        [lost] = reproduce.run(conn, book, {**values, "table": "its"}).outcomes
        assert lost.sqlstate == "42P01"  # and the transaction goes on
        assert reproduce.run(conn, book, values).failing
    for healthy in ("DEFAULT 0", "GENERATED ALWAYS AS IDENTITY"):
        with psycopg.connect(make_database(script.format(healthy))) as conn:
            assert reproduce.run(conn, book, values).passes
