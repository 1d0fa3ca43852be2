"""A runbook that does not do yet what a runbook does is told what does not hold, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from mendbook import authoring, embedded, runbook, trial

from tests.helpers import assert_no_traceback, mendbook

# What is changed in a runbook that works: file, old text, new text; then the check that fails, and what it says.
BENT = {
    "healthy.sql has the incident": (
        ("healthy.sql", ",\n    shipped_at timestamptz", ""),
        "a healthy database does not have the incident",
        "healthy.sql builds a database on which",
    ),
    "broken.sql does not load": (
        ("broken.sql", "bigint", "bigbigint"),
        "broken.sql builds the broken database",
        'type "bigbigint" does not exist',
    ),
    "the error is of another table": (
        ("error.txt", '"orders"', '"invoices"'),
        "error.txt leads to this runbook",
        "it leads to missing-",
    ),
    "the statement never fails": (
        ("broken.sql", "DEFAULT now()\n", "DEFAULT now(), shipped_at timestamptz\n"),
        "the statements fail, and the plan is rehearsed",
        "NotThisIncident: No statement of orders-shipped-at fails",
    ),
    "the step mends nothing": (
        ("runbook.yaml", "ADD COLUMN shipped_at timestamptz", "ADD COLUMN shipped timestamptz"),
        "the statements fail, and the plan is rehearsed",
        "RehearsalFailed",
    ),
    "the step fails": (
        ("runbook.yaml", "sql: ALTER TABLE orders ADD", "sql: ALTER TABLE order_lines ADD"),
        "the statements fail, and the plan is rehearsed",
        'relation "order_lines" does not exist',
    ),
    "what is expected does not come": (
        ("runbook.yaml", "type: timestamp with time zone", "type: date"),
        "the statements fail, and the plan is rehearsed",
        "RehearsalFailed",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MENDBOOK_RUNBOOKS", str(tmp_path))
    return authoring.start("orders-shipped-at", tmp_path)


@pytest.mark.parametrize(("change", "title", "said"), BENT.values(), ids=BENT)
def test_the_first_thing_that_does_not_hold_is_said(
    change: tuple[str, str, str], title: str, said: str, folder: Path
) -> None:
    file, old, new = change
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    *held, last = trial.checks(runbook.load(folder))
    assert all(each.held for each in held)
    assert last.title == title
    assert said in last.said


def test_nothing_is_left_behind(folder: Path) -> None:
    listing = "SELECT datname FROM pg_database"
    with psycopg.connect(embedded.server("mendbook").conninfo("postgres")) as conn:
        before = conn.execute(listing).fetchall()
        files = sorted(folder.iterdir())
        found = trial.checks(runbook.load(folder))
        assert next(found).held
        assert conn.execute(listing).fetchall() != before
        found.close()  # type: ignore[attr-defined]
        assert conn.execute(listing).fetchall() == before
    assert sorted(folder.iterdir()) == files


def test_the_command_says_what_holds_and_what_does_not(folder: Path, tmp_path: Path) -> None:
    good = mendbook("runbooks", "test", "orders-shipped-at", cwd=tmp_path)
    assert good.code == 0, good
    assert "yes   rolled back: schema, rows and files are as before" in good.out
    (folder / "error.txt").write_text("ERROR:  division by zero\n", encoding="utf-8")
    bad = mendbook("runbooks", "test", str(folder), cwd=tmp_path)
    assert bad.code == 2
    assert_no_traceback(bad)
    assert "no    error.txt leads to this runbook" in bad.out
    assert "applied and verified" not in bad.out
    assert mendbook("runbooks", "test", str(folder), "--option", "fly", cwd=tmp_path).code == 2


def test_a_folder_that_is_not_searched_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENDBOOK_RUNBOOKS", str(tmp_path / "elsewhere"))
    *_, last = trial.checks(runbook.load(folder))
    assert f"it is not searched for in {tmp_path}: set MENDBOOK_RUNBOOKS to that" in last.said
