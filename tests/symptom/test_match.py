"""From a Diagnosis to the runbook: the specific before the generic, and no guess among the values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mendbook.symptom import match, referral, triage
from mendbook.symptom.match import Match

MISSING = 'ERROR:  column "{}" of relation "{}" does not exist\nSTATEMENT:  UPDATE {} SET {} = $1 WHERE id = $2\n'


def rank(text: str) -> list[Match]:
    return match.rank(triage.diagnose(text), text)


def fitting(text: str) -> list[str]:
    return [each.runbook.slug for each in rank(text) if each.fits]


def test_a_specific_runbook_comes_before_the_generic_ones() -> None:
    text = MISSING.format("updated_at", "socket_sessions", "socket_sessions", "updated_at")
    assert fitting(text) == ["socket-sessions-updated-at", "missing-column", "pending-migrations", "schema-drift"]


def test_the_same_column_of_another_table_is_another_incident() -> None:
    text = MISSING.format("updated_at", "orders", "orders", "updated_at")
    assert fitting(text) == ["missing-column", "pending-migrations", "schema-drift"]
    reasons = {each.runbook.slug: each.reason for each in rank(text)}
    assert "the error about orders" in reasons["stale-session-cleanup"]
    assert reasons["missing-table"] == "it is for missing table, and this is missing column"


def test_a_column_of_no_table_is_no_specific_incident() -> None:
    text = 'ERROR:  record "new" has no field "updated_at"\n'
    assert fitting(text) == ["missing-column", "pending-migrations", "schema-drift"]
    reasons = {each.runbook.slug: each.reason for each in rank(text)}
    assert reasons["stale-session-cleanup"] == "the error names updated_at, and not whose"


def test_the_text_gives_the_values() -> None:
    best = rank(MISSING.format("total", "orders", "shop.orders", "total"))[0]
    assert best.values == {
        "schema": "shop",
        "table": "orders",
        "column": "total",
        "statement": "UPDATE shop.orders SET total = $1 WHERE id = $2",
    }
    assert list(best.needs) == ["type"]


def test_placeholders_of_every_client_become_parameters() -> None:
    text = (
        'relation "parcels" does not exist\n[SQL: INSERT INTO parcels (id) VALUES (%(id)s)]\n[parameters: {"id": 7}]\n'
    )
    text += "(Background on this error at: https://sqlalche.me/e/20/f405)"
    best = rank("sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedTable) " + text)[0]
    assert best.values["statement"] == "INSERT INTO parcels (id) VALUES ($1)"


def test_a_guess_is_no_value() -> None:
    best = rank("ERROR:  column orders.total does not exist at character 8\n")[0]
    assert best.runbook.slug == "missing-column"
    assert best.guesses == {"table": "orders"}
    assert "table" in best.needs
    assert "table" not in best.values


@pytest.mark.parametrize(
    ("conflict", "columns"),
    [
        ("(user_id)", "user_id"),
        ('(user_id, "Name")', "user_id,Name"),
        ("(lower(name))", None),
        ("DO NOTHING", None),
        ("(user_id) WHERE active", "user_id"),
    ],
)
def test_the_columns_of_on_conflict_are_read(conflict: str, columns: str | None) -> None:
    sql = f"INSERT INTO preferences (user_id) VALUES ($1) ON CONFLICT {conflict} DO NOTHING"
    said = "there is no unique or exclusion constraint matching the ON CONFLICT specification"
    best = rank(f"ERROR:  {said}\nSTATEMENT:  {sql}\n")[0]
    assert best.runbook.slug == "missing-constraint"
    assert best.values.get("columns") == columns


@pytest.mark.parametrize(
    "message",
    [
        'invalid input value for enum payment_state: "refunded"',
        "ungültiger Eingabewert für Enum payment_state: »refunded«",
        "valeur en entrée invalide pour le enum payment_state : « refunded »",
    ],
)
def test_the_value_that_an_enum_lacks_is_read_in_any_language(message: str) -> None:
    best = rank(f"psycopg.errors.InvalidTextRepresentation: {message}\n")[0]
    assert best.runbook.slug == "missing-enum-value"
    assert best.values == {"name": "payment_state", "label": "refunded"}


def test_a_null_that_is_sent_is_not_mended_by_a_default() -> None:
    text = 'ERROR:  null value in column "unit" of relation "prices" violates not-null constraint\nSTATEMENT:  {}\n'
    assert fitting(text.format("INSERT INTO prices (amount) VALUES ($1)")) == ["not-null-without-default"]
    for sent in ("INSERT INTO prices (amount, unit) VALUES ($1, $2)", "UPDATE prices SET unit = $1"):
        assert fitting(text.format(sent)) == []


def test_a_secret_in_the_statement_becomes_no_value() -> None:
    sql = "UPDATE users SET password='hunter2' WHERE total = $1"
    best = rank(f'ERROR:  column "total" does not exist\nSTATEMENT:  {sql}\n')[0]
    assert "hunter2" not in str(best.values)


def test_a_statement_that_was_cut_becomes_no_value() -> None:
    best = rank('ERROR:  relation "parcels" does not exist\nSTATEMENT:  SELECT id FROM parcels WHERE (a = 1 AND\n')[0]
    assert "statement" not in best.values


@settings(max_examples=20, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(['column "{}" of relation "b" does not exist', 'relation "{}" does not exist']),
)
def test_no_name_is_too_strange(name: str, message: str) -> None:
    text = f"ERROR:  {message.format(name)}\nSTATEMENT:  SELECT {name} FROM b ON CONFLICT ({name}\n"
    found = referral.refer(text)
    json.dumps(found.to_json())
    assert found.command("env:SHOP", "") is not None
    assert all(len(row) == 3 for row in (*found.rows(), *found.answers(), *found.facts()))


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-03-02 08:14:55.102 UTC [4711] app@shop ERROR:  {}", "2026-03-02 08:14:55.102 UTC"),
        (
            '{{"time": "2026-03-02T08:14:55+01:00", "err": {{"code": "0A000", "message": "{}"}}}}',
            "2026-03-02T08:14:55+01:00",
        ),
        ("2026-03-02 08:14:55 CET [4711] ERROR:  {}", None),
        ("2026-03-02 08:14:55 UTC all is well\nERROR:  {}", None),
    ],
    ids=["a log", "JSON", "a zone by its name", "another line"],
)
def test_the_time_of_an_error_is_only_likely_to_be_that_of_the_change(line: str, time: str | None) -> None:
    best = rank(line.format("cached plan must not change result type"))[0]
    assert best.runbook.slug == "stale-plan"
    assert best.guesses.get("since") == time
    assert "since" in best.needs


def test_what_is_not_postgresql_leads_nowhere() -> None:
    assert rank("ReferenceError: updated_at is not defined") == []
