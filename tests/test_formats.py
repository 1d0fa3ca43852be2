from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook import formats
from mendbook.formats import Change
from mendbook.migrations import Migration


@given(st.text())
def test_any_sql_is_a_literal_of_python(sql: str) -> None:
    assert ast.literal_eval(formats.python(sql)) == sql


def test_lines_stay_lines_in_python() -> None:
    assert formats.python("SELECT 1\nFROM t") == '"""SELECT 1\nFROM t"""'


def test_a_template_literal_holds_what_it_could_read_as_its_own() -> None:
    assert formats.javascript("a `b` \\ ${c} $d$") == "`a \\`b\\` \\\\ \\${c} $d$`"


@pytest.mark.parametrize(
    ("there", "number"),
    [
        ([], "20260301093000"),
        (["001_a.sql", "009_b.sql"], "010"),
        (["V1__a.sql", "V2.1__b.sql"], "3"),
        (["20250101000000_a.sql"], "20260301093000"),
        (["old/7_a.sql"], "8"),
    ],
)
def test_a_number_goes_on_where_the_others_end(there: list[str], number: str) -> None:
    before = tuple(Migration(name=each, title=each, path=Path(each), text="") for each in there)
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    change = Change(title="a", at=at, forward=(), backward=(), transaction=True, before=before, folder="")
    assert change.number == number


@pytest.mark.parametrize(("folder", "above"), [("", ""), ("2_b/", ""), ("migrations/2_b/", "migrations/")])
def test_prisma_puts_a_migration_beside_the_others(folder: str, above: str) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    change = Change(title="a", at=at, forward=(), backward=(), transaction=True, before=(), folder=folder)
    place = f"{above}20260301093000_a"
    assert set(formats.of("prisma").files(change)) == {f"{place}/migration.sql", f"{place}/down.sql"}
