"""An incident that knows the application's migrations shows them from four sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import runbook
from mendbook.incident import Incident
from mendbook.request import who

from tests.helpers import broken, mendbook, run

NAME = "pending-migrations"


@pytest.fixture
def shop(make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> str:
    conninfo = make_database(broken(NAME))
    monkeypatch.setenv("SHOP", conninfo)
    return conninfo


def test_a_diagnosis_of_pending_migrations_begins_with_the_four_way_table(shop: str, tmp_path: Path) -> None:
    book = runbook.find(NAME)
    values = [f"-p{name}={value}" for name, value in {**book.example, "framework": "prisma"}.items()]
    answer = mendbook("diagnose", NAME, "--target", "env:SHOP", "--json", *values, cwd=tmp_path)
    assert answer.code == 3, answer
    folder = tmp_path / answer.json["incident"]
    page = (folder / "diagnose.ipynb").read_text(encoding="utf-8")
    assert page.index(">ledger</th>") < page.index("incident.reproduction")
    assert "| pending | 20260308140000\\_add\\_firmware |" in (folder / "fix.md").read_text(encoding="utf-8")
    assert "<h2>The migrations</h2>" in (folder / "fix.html").read_text(encoding="utf-8")


def test_the_folder_that_the_fix_is_written_for_is_shown_too(shop: str, tmp_path: Path) -> None:
    run(shop, "CREATE SCHEMA depot; CREATE TABLE depot.parcels (id bigint); CREATE TABLE schema_migrations (name text)")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_parcels.sql").write_text("CREATE TABLE parcels (id bigint);")
    values = {"statement": "SELECT weight FROM depot.parcels", "schema": "depot", "table": "parcels"}
    asked = {"values": {**values, "column": "weight", "type": "numeric"}, "incidents": str(tmp_path / "incidents")}
    begun = Incident.begin(runbook="missing-column", target="env:SHOP", **asked)
    assert begun.audit is None
    lasting = {"migrations": str(folder), "framework": "numbered"}
    known = Incident.begin(runbook="missing-column", target="env:SHOP", **asked, **lasting)
    assert known.audit is not None
    assert known.audit.table == '"public"."schema_migrations"'  # the runbook's schema is the table's
    assert [line.verdicts for line in known.audit.lines] == [("pending",)]


def test_one_run_at_a_time_works_with_a_folder(shop: str, tmp_path: Path) -> None:
    """Each would write the record from what it remembers, and so take back what the other had written."""
    run(shop, "CREATE TABLE parcels (id bigint)")
    values = {"statement": "SELECT weight FROM parcels", "table": "parcels", "column": "weight", "type": "numeric"}
    found = Incident.begin(runbook="missing-column", target="env:SHOP", values=values, incidents=str(tmp_path))
    digest = found.diagnosed().digest
    first = Incident.resume(str(found.folder))
    refused = mendbook("repair", found.folder, "--approve", digest, cwd=tmp_path)
    assert refused.code == 4
    assert f"Another run works on {found.folder}: {who()}, since 20" in refused.out
    first.approve(digest)
    first.apply()
    first.verify()
    assert first.repaired().exit_code == 0
    record = (found.folder / "record.json").read_text()

    undone = mendbook("rollback", found.folder, "--approve", digest, cwd=tmp_path)
    assert undone.code == 0, undone
    assert json.loads((found.folder / "record.json").read_text())["history"][:-1] == json.loads(record)["history"]
    assert mendbook("rollback", found.folder, "--approve", digest, cwd=tmp_path).code == 4
    pages = sorted(path.name for path in found.folder.glob("*.ipynb"))
    assert pages == ["repair.ipynb", "rollback-2.ipynb", "rollback.ipynb"]
