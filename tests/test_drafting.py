"""A runbook made from an error and its database: it goes through what every runbook goes through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import drafting, runbook
from mendbook.drafting import Draft
from mendbook.errors import NotThisIncident, Refused, Usage

from tests.helpers import mendbook
from tests.test_runbooks import Case, take_through

Make = Callable[[str], str]


@pytest.fixture
def draft(make_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Draft]:
    """Make a draft from SQL that builds the target and an error text."""
    monkeypatch.setenv("MENDBOOK_RUNBOOKS", str(tmp_path / "mine"))

    def make(script: str, text: str, **values: object) -> Draft:
        monkeypatch.setenv("SHOP", make_database(script))
        return drafting.make("mine", tmp_path / "mine", text=text, target="env:SHOP", values=values)

    return make


@pytest.mark.parametrize(
    "name", ["missing-column", "missing-table", "missing-enum-value", "missing-constraint", "missing-function"]
)
def test_a_draft_is_a_runbook(
    name: str, draft: Callable[..., Draft], make_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = runbook.find(name)
    made = draft(book.broken, book.error, **book.example)
    assert made.missing == ()
    assert "INSERT" not in runbook.load(made.folder).broken
    take_through(Case(runbook.load(made.folder), tmp_path, monkeypatch), "", make_database)


SHOP = """
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE SCHEMA shop;
CREATE SCHEMA other;
CREATE TYPE shop.state AS ENUM ('new', 'paid');
CREATE TABLE shop.users (id serial PRIMARY KEY, email citext UNIQUE);
CREATE TABLE shop.orders (
    id bigserial PRIMARY KEY, user_id int REFERENCES shop.users, state shop.state NOT NULL DEFAULT 'new'
);
CREATE TABLE other.secrets (id int);
INSERT INTO shop.users (email) VALUES ('ada@example.com');
"""
ERROR = """\
ERROR:  column "paid_at" of relation "orders" does not exist at character 24
STATEMENT:  UPDATE shop.orders SET paid_at = now() WHERE id = $1
"""


def test_a_draft_holds_the_tables_concerned_with_what_they_need(draft: Callable[..., Draft]) -> None:
    made = draft(SHOP, ERROR, type="timestamptz")
    assert made.missing == ()
    broken = runbook.load(made.folder).broken
    assert all(each in broken for each in ('"shop"."orders"', '"shop"."users"', '"shop"."state"', '"citext"'))
    assert not any(each in broken for each in ("secrets", "hstore", "ada@example.com", '"other"'))


def test_what_is_missing_is_said(draft: Callable[..., Draft]) -> None:
    made = draft(SHOP, ERROR)
    assert made.missing == ("type: the column's type, as the application expects it",)
    assert runbook.problems(made.folder) == []  # it is one, with a parameter that wants a value


def test_a_draft_that_does_not_reproduce_says_so(draft: Callable[..., Draft]) -> None:
    made = draft(SHOP.replace("state shop.state", "paid_at timestamptz, state shop.state"), ERROR, type="timestamptz")
    assert "No statement of mine fails on this database" in made.missing[0]


def test_what_no_draft_can_be_made_from_is_refused(draft: Callable[..., Draft], tmp_path: Path) -> None:
    with pytest.raises(NotThisIncident):
        draft(SHOP, "ReferenceError: paid_at is not defined")
    with pytest.raises(Refused, match="No generic runbook is for this error"):
        draft(SHOP, "ERROR:  deadlock detected\n")
    with pytest.raises(Refused, match=r"this error \(stale plan\)"):  # what is in sessions, no broken.sql holds
        draft(SHOP, "ERROR:  cached plan must not change result type\n")
    with pytest.raises(Usage, match="has no parameter"):
        draft(SHOP, ERROR, tpye="int")
    assert not (tmp_path / "mine").exists()


def test_the_command_line_names_what_is_missing(make_database: Make, tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text(ERROR)
    env = {"SHOP": make_database(SHOP)}
    begin = ("runbooks", "new", "orders-paid-at", "--from-error", "error.txt")
    assert "wants the database" in mendbook(*begin, cwd=tmp_path).err
    begun = mendbook(*begin, "--target", "env:SHOP", cwd=tmp_path, env=env)
    assert (begun.code, "type: the column's type" in begun.out) == (2, True)
    again = mendbook(*begin, "--target", "env:SHOP", cwd=tmp_path, env=env)
    assert (again.code, "exists already" in again.err) == (2, True)
