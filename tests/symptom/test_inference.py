"""Which type a missing column probably has: every clue, clues that contradict each other, and none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook.symptom import inference

from tests.helpers import read

MOMENT = "timestamp with time zone"


@pytest.mark.parametrize(
    ("column", "statement", "type", "certainty"),
    [
        ("seen", "UPDATE orders SET seen = now() WHERE id = $1", MOMENT, "guessed"),
        ("seen", "DELETE FROM orders WHERE seen < CURRENT_TIMESTAMP", MOMENT, "guessed"),
        ("due", "SELECT id FROM orders WHERE due <= CURRENT_DATE", "date", "guessed"),
        ("open", "SELECT id FROM orders WHERE open = TRUE", "boolean", "derived"),
        ("open", "SELECT id FROM orders WHERE open IS NOT FALSE", "boolean", "derived"),
        ("total", "SELECT id FROM orders WHERE total > 0", "integer", "guessed"),
        ("total", "SELECT id FROM orders WHERE total > 9.99", "numeric", "guessed"),
        ("owner", "SELECT id FROM orders AS o WHERE o.owner = $1::uuid", "uuid", "derived"),
        ("owner", "UPDATE orders SET owner = CAST($1 AS int8)", "bigint", "derived"),
        ("owner", "SELECT id FROM orders WHERE owner = '6f9619ff-8b86-d011-b42d-00cf4fc964ff'", "uuid", "guessed"),
        ("Note", 'SELECT id FROM orders WHERE "Note" ILIKE $1', "text", "guessed"),
        ("state", "SELECT id FROM orders WHERE state = 'new'", "text", "guessed"),
        ("seen", "INSERT INTO orders (id, seen) VALUES (nextval('s', 1), NOW())", MOMENT, "guessed"),
        ("open", "INSERT INTO orders (open, id) VALUES (FALSE, $1)", "boolean", "derived"),
        ("shipped_at", "", MOMENT, "guessed"),
        ("shippedAt", "", MOMENT, "guessed"),
        ("is_open", "", "boolean", "guessed"),
        ("user_id", "", "bigint", "guessed"),
        ("birth_date", "", "date", "guessed"),
    ],
)
def test_a_clue_tells_a_type(column: str, statement: str, type: str, certainty: str) -> None:
    best, *_ = inference.column_type(column, "orders", statement, None)
    assert (best.type, best.certainty) == (type, certainty)
    assert best.evidence


@pytest.mark.parametrize(
    ("column", "statement"),
    [
        ("note", ""),
        ("note", "SELECT note FROM orders WHERE id = 7"),
        ("note", "SELECT note::date FROM orders"),  # what it is turned into is not what it is
        ("note", "UPDATE orders SET note = $1"),
        ("flat", ""),  # ends in "at"
        ("island", ""),  # begins with "is"
        ("paid", ""),  # ends in "id"
    ],
)
def test_where_nothing_speaks_nothing_is_said(column: str, statement: str) -> None:
    assert inference.column_type(column, "orders", statement, None) == ()


def test_a_value_of_the_application_is_not_repeated() -> None:
    [best] = inference.column_type("owner", "orders", "SELECT FROM orders WHERE owner = 'Ada Lovelace'", None)
    assert "Ada" not in " ".join(best.evidence)


SCHEMA = """
CREATE TABLE users (id uuid PRIMARY KEY, created_at timestamp, updated_at timestamp);
CREATE TABLE invoices (id bigint PRIMARY KEY, created_at timestamp, updated_at timestamp);
CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamp);
CREATE TABLE visits (id bigint PRIMARY KEY, updated_at date);
"""


@pytest.mark.parametrize(
    ("column", "statement", "type"),
    [
        pytest.param("updated_at", "", "timestamp without time zone", id="columns of that name"),
        pytest.param(
            "updated_at", "UPDATE orders SET updated_at = now()", "timestamp without time zone", id="beside its use"
        ),
        pytest.param("shipped_at", "", "timestamp without time zone", id="the convention of the table"),
        pytest.param("user_id", "", "uuid", id="the key it speaks of"),
        pytest.param("user_id", "SELECT FROM orders WHERE user_id = $1::int8", "bigint", id="a cast outweighs it"),
    ],
)
def test_the_schema_speaks_too(column: str, statement: str, type: str, make_database: Callable[[str], str]) -> None:
    best, *_ = inference.column_type(column, "orders", statement, read(make_database(SCHEMA)))
    assert best.type == type


def test_types_that_contradict_each_other_are_all_shown(make_database: Callable[[str], str]) -> None:
    found = inference.column_type("updated_at", "orders", "", read(make_database(SCHEMA)))
    assert [each.type for each in found] == ["timestamp without time zone", "date", MOMENT]
    assert "updated_at of invoices, users is timestamp without time zone" in found[0].evidence
    assert all(each.certainty == "guessed" for each in found)


@given(column=st.text(max_size=12), statement=st.text(max_size=80))
def test_no_text_is_too_strange(column: str, statement: str) -> None:
    inference.column_type(column, "orders", f"INSERT INTO orders ({column}) VALUES ({statement}", None)
