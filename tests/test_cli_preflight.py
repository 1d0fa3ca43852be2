"""The command preflight: its exit codes, its files, and what it says where it cannot begin."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from mendbook.run import notebooks

from tests.helpers import Answer, assert_no_traceback, mendbook, run
from tests.run.test_notebooks import papermill
from tests.test_preflight import MIGRATIONS, Make, Shop, applied
from tests.test_report import suite

FIXED = ("--migrations", "migrations", "--framework", "numbered")
ALL = ("--source", "app", "--expect", "migrations:migrations", *FIXED)


@pytest.fixture
def shop(tmp_path: Path, make_database: Make) -> Shop:
    return Shop(tmp_path, make_database(applied(*MIGRATIONS)))


def preflight(shop: Shop, *arguments: str, **env: str) -> Answer:
    known = {"SHOP": shop.conninfo, "GITHUB_STEP_SUMMARY": "", **env}
    answer = mendbook("preflight", "--target", "env:SHOP", *arguments, cwd=shop.folder, env=known)
    assert_no_traceback(answer)
    return answer


def test_healthy_ends_with_0(shop: Shop) -> None:
    found = preflight(shop, *ALL, "--junit", "j.xml", "--github-summary", GITHUB_STEP_SUMMARY="page.md")
    assert found.code == 0, found
    assert "healthy (migrations, schema, statements)" in found.out
    assert len(suite((shop.folder / "j.xml").read_text())) == 3
    assert "**healthy (migrations, schema, statements)**" in (shop.folder / "page.md").read_text()
    [folder] = (shop.folder / "preflight").iterdir()
    assert {path.name for path in folder.iterdir()} == {"preflight.ipynb", "record.json"}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (("--source", "app"), "store.py:2"),
        (("--expect", "migrations:migrations"), "column public.users.nickname"),
        (("--migrations", "migrations"), "001_users.sql"),
    ],
)
def test_each_check_fails_alone_with_3(asked: tuple[str, ...], name: str, shop: Shop) -> None:
    run(shop.conninfo, "ALTER TABLE users DROP COLUMN nickname")
    found = preflight(shop, *asked, "--json", "--junit", "j.xml")
    assert found.code == 3, found
    [check] = found.json["checks"]
    assert [each["cells"][1] for each in check["findings"] if each["fails"]] == [name]
    assert [case.find("failure") is not None for case in suite((shop.folder / "j.xml").read_text())] == [True]
    assert (shop.folder / found.json["preflight"] / "record.json").exists()


def test_all_of_it_is_printed_once(shop: Shop) -> None:
    run(shop.conninfo, "ALTER TABLE users DROP COLUMN nickname")
    found = preflight(shop, *ALL, "--github-summary", GITHUB_STEP_SUMMARY="page.md")
    assert found.code == 3, found
    assert "3 problems (migrations, schema, statements); nothing was changed" in found.out
    assert "Next: mendbook diff env:SHOP migrations:migrations" in found.out
    page = (shop.folder / "page.md").read_text()
    assert page.index("### Migrations") < page.index("### Schema") < page.index("### Statements")
    [folder] = (shop.folder / "preflight").iterdir()
    cells = nbformat.read(folder / "preflight.ipynb", as_version=4).cells
    shown = ["".join(str(each.get("data", {}).get("text/html", "")) for each in c.get("outputs", [])) for c in cells]
    pictures = [html for html in shown if "<table" in html]
    assert ">ledger</th>" in pictures[1]  # after the target, the four-way table comes first
    assert pictures[1].count("phantom") == 1


def test_hostile_names_reach_every_file_as_names(shop: Shop) -> None:
    hostile = '"<script>alert(1)</script>]]>|`*\x01"'
    (shop.folder / "desired.sql").write_text(f"CREATE TABLE {hostile} (id int);\n")
    (shop.folder / "app" / os.fsdecode(b"<script>\xff.py")).write_text('A = "SELECT nonesuch FROM users"\n')
    asked = ("--source", "app", "--expect", "sql:desired.sql", "--junit", "j.xml", "--github-summary")
    found = preflight(shop, *asked, GITHUB_STEP_SUMMARY="page.md")
    assert found.code == 3, found
    assert len(suite((shop.folder / "j.xml").read_text())) == 2
    [folder] = (shop.folder / "preflight").iterdir()
    assert "<script>" not in (shop.folder / "page.md").read_text()
    outputs = [
        each["data"]["text/html"]
        for cell in nbformat.read(folder / "preflight.ipynb", as_version=4).cells
        for each in cell.get("outputs", [])
    ]
    assert outputs
    assert not any("<script>" in html for html in outputs)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((), "Nothing was asked for"),
        (("--source", "nowhere"), "'nowhere' is no directory"),
        (("--migrations", "nowhere"), "nowhere is no directory"),
        (("--framework", "numbered", "--source", "app"), "Name their folder"),
        (("--migrations", "migrations", "--framework", "numbred"), "'numbred' is no framework"),
        (("--migrations", "migrations", "--framework", "flyway"), "migrations holds no migrations of flyway"),
        (("--expect", "postgres://u:pl4nted@localhost/d"), "holds a password"),
        (("--expect", "shape:x"), "Nothing states a schema as 'shape'"),
        (("--source", "app", "--github-summary"), "GITHUB_STEP_SUMMARY, which is not set"),
        (("--source", "app", "--output", "app/store.py"), "app/store.py cannot hold a new folder"),
        (("--source", "app", "--target", "env:NOT_SET"), "'NOT_SET' is not set"),
    ],
)
def test_wrong_usage_starts_nothing(asked: tuple[str, ...], said: str, shop: Shop) -> None:
    answer = preflight(shop, *asked)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "pl4nted" not in answer.err
    assert not (shop.folder / "preflight").exists()


def test_what_stops_it_is_in_every_file(shop: Shop) -> None:
    (shop.folder / "bad.sql").write_text("CREATE TABLE t (id nonesuch);\n")
    asked = ("--expect", "sql:bad.sql", "--junit", "j.xml", "--github-summary", "--json")
    found = preflight(shop, *asked, GITHUB_STEP_SUMMARY="page.md")
    assert found.code == 2, found
    assert "bad.sql:1" in found.json["verdict"]
    [case] = suite((shop.folder / "j.xml").read_text())
    assert case.find("error") is not None
    assert "bad.sql:1" in (shop.folder / "page.md").read_text()
    elsewhere = preflight(shop, "--source", "app", "--target", "env:SHOP", SHOP="host=127.0.0.1 port=1")
    assert elsewhere.code == 2
    assert "cannot be opened" in elsewhere.out


def test_a_file_that_cannot_be_written_is_named(shop: Shop) -> None:
    answer = preflight(shop, "--source", "app", "--junit", "nowhere/j.xml")
    assert answer.code == 1
    assert "nowhere/j.xml cannot be written" in answer.err


def test_the_plain_papermill_command_runs_the_same_page(shop: Shop) -> None:
    given = ["-p", "target", "env:SHOP", "-p", "source", "app", "-p", "migrations", "migrations"]
    page = str(notebooks.path("preflight"))
    done = papermill(page, "out.ipynb", *given, cwd=shop.folder, env={"SHOP": shop.conninfo})
    assert done.returncode == 0, done.stderr
    [folder] = (shop.folder / "preflight").iterdir()
    assert (folder / "record.json").exists()
