"""Where an error leads once the database was asked: to the runbook, or away from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mendbook import runbook
from mendbook.symptom import referral

COLUMN = """\
ERROR:  column "settled_at" of relation "invoices" does not exist
STATEMENT:  UPDATE invoices SET settled_at = now()
"""
FUNCTION = "ERROR:  function uuid_generate_v4() does not exist\nSTATEMENT:  SELECT uuid_generate_v4()\n"
BROKEN = "CREATE TABLE invoices (id bigint)"


@pytest.mark.parametrize(
    ("text", "script", "cause", "mends"),
    [
        pytest.param(COLUMN, BROKEN, "missing", True, id="missing"),
        pytest.param(FUNCTION, "", "extension", True, id="an extension brings it"),
        pytest.param(COLUMN, "CREATE TABLE invoices (settled_at date)", "fixed_meanwhile", False, id="fixed"),
        pytest.param(COLUMN, 'CREATE TABLE invoices ("settled_At" date)', "other_case", False, id="another case"),
        pytest.param(
            COLUMN,
            f"CREATE SCHEMA shop; CREATE TABLE shop.invoices (settled_at date); {BROKEN}",
            "other_schema",
            False,
            id="another schema",
        ),
    ],
)
def test_a_generic_runbook_is_next_only_where_it_mends_the_cause(
    text: str,
    script: str,
    cause: str,
    mends: bool,
    make_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP", make_database(script))
    found = referral.refer(text, target="env:SHOP")
    assert found.proof is not None
    assert (found.proof.cause, found.mends, bool(found.command("env:SHOP", ""))) == (cause, mends, mends)


def test_the_source_tree_tells_what_an_error_without_names_is_about(
    make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = runbook.find("stale-session-cleanup")
    monkeypatch.setenv("SHOP", make_database(book.broken))
    text = "job failed { code: '42703', routine: 'errorMissingColumn' }"
    alone = referral.refer(text, target="env:SHOP").best
    assert alone is not None
    assert alone.runbook.text.generic
    best = referral.refer(text, target="env:SHOP", source=str(book.folder / "app")).best
    assert best is not None
    assert best.runbook.slug == book.slug
    assert best.reason == "the error names nothing, and the source tree fails on is_active, tenant_id, updated_at"

    other = 'ERROR:  column "total" of relation "orders" does not exist'
    named = referral.refer(other, target="env:SHOP", source=str(book.folder / "app")).best
    assert named is not None
    assert named.runbook.slug == "missing-column"


def test_a_command_without_a_file_says_every_value() -> None:
    command = referral.refer(COLUMN).command("", "")
    assert command == (
        "mendbook diagnose missing-column --target env:DATABASE_URL -p table=invoices -p column=settled_at "
        "-p 'statement=UPDATE invoices SET settled_at = now()' -p type=…"
    )


def test_a_record_keeps_the_part_that_was_read() -> None:
    log = "".join(f"{n} all is well, password=hunter2\n" for n in range(2000))
    kept = referral.excerpt(log + COLUMN + log)
    assert COLUMN.splitlines()[0] in kept
    assert len(kept) <= referral.EXCERPT
    assert "hunter2" not in kept
    assert "hunter2" not in referral.excerpt("password=hunter2")
