"""Triage and sweep from the command line, and a diagnosis that begins with an error text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from mendbook import runbook
from mendbook.incident import Incident

from tests.helpers import assert_no_traceback, broken, fingerprint, mendbook

KEYS = {"is_postgres", "kind", "sqlstate", "schema", "table", "column", "framework", "statement", "location"}
KEYS |= {"certainty", "runbook", "values", "evidence"}


def error(name: str) -> str:
    return str(runbook.find(name).folder / "error.txt")


def test_triage_says_what_failed_and_what_is_next(tmp_path: Path) -> None:
    said = mendbook("triage", error("missing-column"), cwd=tmp_path)
    assert said.code == 3
    assert "settled_at" in said.out
    assert "-p 'type=timestamp with time zone'" in said.out
    assert said.out.rstrip().endswith("-p type=…")  # a guess is shown, and not typed for the reader

    found = mendbook("triage", error("missing-column"), "--json", cwd=tmp_path)
    assert found.code == 3
    assert found.json.keys() >= KEYS
    assert found.json["runbook"] == "missing-column"
    assert found.json["schema"] is None
    assert found.json["certainty"]["table"] == "stated"
    assert "type" not in found.json["values"]


def test_a_name_that_no_terminal_has_is_printed(tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text('{"message": "relation \\"\\ud800Łódź\\" does not exist", "code": "42P01"}')
    for more in ([], ["--json"]):
        said = mendbook("triage", "error.txt", *more, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
        assert said.code == 3, said
        assert_no_traceback(said)


def test_what_is_not_postgresql_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text("ReferenceError: updated_at is not defined\n")
    said = mendbook("triage", "error.txt", cwd=tmp_path)
    assert (said.code, said.out) == (4, "This is no error of PostgreSQL's, as far as the text tells.\n")
    found = mendbook("triage", "error.txt", "--json", cwd=tmp_path).json
    assert (found["is_postgres"], found["kind"], found["runbook"], found["values"]) == (
        False,
        "not_postgres",
        None,
        None,
    )
    refused = mendbook("diagnose", "--error", "error.txt", "--target", "env:NOWHERE", cwd=tmp_path)
    assert refused.code == 4
    assert "holds no error of PostgreSQL's" in refused.err


def test_the_target_shows_the_cause_and_the_tree_the_statements(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    conninfo = make_database(broken("stale-session-cleanup"))
    before = fingerprint(conninfo)
    env = {"SHOP": conninfo}
    app = str(runbook.find("stale-session-cleanup").folder / "app")
    arguments = ("triage", error("stale-session-cleanup"), "--target", "env:SHOP", "--source", app)
    found = mendbook(*arguments, "--json", cwd=tmp_path, env=env)
    assert found.code == 3, found
    assert found.json["runbook"] == "stale-session-cleanup"
    assert found.json["proof"]["findings"]
    assert len(found.json["sweep"]["failures"]) == 8
    shown = mendbook(*arguments, cwd=tmp_path, env=env)
    assert shown.code == 3
    assert "8 statements fail" in shown.out
    assert fingerprint(conninfo) == before


def test_a_table_that_is_in_another_schema_is_not_made_twice(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    env = {"SHOP": make_database("CREATE SCHEMA shipping; CREATE TABLE shipping.parcels (id bigint, order_id bigint)")}
    found = mendbook("triage", error("missing-table"), "--target", "env:SHOP", "--json", cwd=tmp_path, env=env).json
    assert found["proof"]["cause"] == "other_schema"
    assert found["runbook"] == "wrong-search-path"
    shown = mendbook("triage", error("missing-table"), "--target", "env:SHOP", cwd=tmp_path, env=env).out
    assert "mendbook diagnose wrong-search-path" in shown
    assert re.search(r"not the cause +missing-table", shown)


def test_a_sweep_fails_where_a_statement_does(make_database: Callable[[str], str], tmp_path: Path) -> None:
    folder = runbook.find("stale-session-cleanup").folder
    env = {"SHOP": make_database(broken("stale-session-cleanup")), "WELL": make_database(healthy(folder))}
    said = mendbook("sweep", str(folder / "app"), "--target", "env:SHOP", "--json", cwd=tmp_path, env=env)
    assert said.code == 3
    assert {each["sqlstate"] for each in said.json["failures"]} == {"42703"}
    well = mendbook("sweep", str(folder / "app"), "--target", "env:WELL", cwd=tmp_path, env=env)
    assert (well.code, "0 statements fail" in well.out) == (0, True)


def healthy(folder: Path) -> str:
    return (folder / "healthy.sql").read_text(encoding="utf-8")


def test_a_diagnosis_can_begin_with_the_error(make_database: Callable[[str], str], tmp_path: Path) -> None:
    env = {"SHOP": make_database(broken("missing-column"))}
    begin = ("diagnose", "--error", error("missing-column"), "--target", "env:SHOP", "--json")
    lacking = mendbook(*begin, cwd=tmp_path, env=env)
    assert lacking.code == 2
    assert "which only you can confirm" in lacking.json["verdict"]
    assert not (tmp_path / "incidents").exists()

    found = mendbook(*begin, "-p", "type=timestamptz", cwd=tmp_path, env=env)
    assert found.code == 3, found
    record = json.loads((tmp_path / found.json["incident"] / "record.json").read_text())
    assert record["runbook"] == "missing-column"
    assert record["values"]["table"] == "invoices"
    assert "STATEMENT:  UPDATE invoices" in record["error"]
    fixed = mendbook("repair", found.json["incident"], "--approve", found.json["digest"], cwd=tmp_path, env=env)
    assert fixed.code == 0, fixed


def test_a_notebook_can_begin_with_the_error(
    make_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", make_database(broken("missing-table")))
    book = runbook.find("missing-table")
    begun = Incident.begin(
        error_file=error("missing-table"), target="env:SHOP", values=book.example, incidents=str(tmp_path)
    )
    assert begun.runbook.slug == "missing-table"
    assert begun.record["error"] == book.error
    assert begun.diagnosed().exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["triage", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["triage", "."], "cannot be read"),
        (["triage", "-", "--source", "."], "--source wants a database"),
        (["triage", "error.txt", "--target", "env:NOWHERE"], "'NOWHERE' is not set"),
        (["sweep", "nowhere", "--target", "env:NOWHERE"], "'nowhere' is no directory"),
        (["diagnose", "--target", "env:NOWHERE"], "No runbook was named"),
        (["diagnose", "--error", "nowhere.txt", "--target", "env:NOWHERE"], "nowhere.txt cannot be read"),
        (["diagnose", "--error", "error.txt", "--target", "env:NOWHERE", "-p", "tpye=int"], "Did you mean type?"),
    ],
)
def test_wrong_usage_starts_nothing(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text('ERROR:  column "a" of relation "b" does not exist\n')
    answer = mendbook(*arguments, cwd=tmp_path)
    assert answer.code == 2, answer
    assert said in answer.err
    assert_no_traceback(answer)
    assert [path.name for path in tmp_path.iterdir()] == ["error.txt"]


HOSTILE = ["; DROP TABLE users; --", "it's", "Łódź", "<script>alert(1)</script>", "${table}", "a.b", "select"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_an_error_is_only_a_name(
    name: str, make_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, column = psycopg.sql.Identifier(f"T {name}"), psycopg.sql.Identifier(name)
    conninfo = make_database(psycopg.sql.SQL("CREATE TABLE {} (id int)").format(table).as_string(None))
    statement = psycopg.sql.SQL("UPDATE {} SET {} = now()").format(table, column).as_string(None)
    with psycopg.connect(conninfo) as conn, pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        conn.execute(statement.encode())
    monkeypatch.setenv("SHOP", conninfo)
    text = f"ERROR:  {caught.value.diag.message_primary}\nSTATEMENT:  {statement}\n"
    begun = Incident.begin(error=text, target="env:SHOP", values={"type": "timestamptz"}, incidents=str(tmp_path))
    assert begun.values["column"] == name
    assert begun.diagnosed().exit_code == 3
    assert [(each.key.name, each.key.part) for each in begun.plan.desired] == [(f"T {name}", name)]
    assert "<script>" not in (begun.folder / "fix.html").read_text(encoding="utf-8")
