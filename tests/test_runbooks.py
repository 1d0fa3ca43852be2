"""Every runbook, through everything that a runbook goes through."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded, runbook
from mendbook.errors import BadRunbook, NotApproved, NotThisIncident, Refused, Usage
from mendbook.incident import Incident
from mendbook.runbook import Runbook
from mendbook.schema import snapshot
from mendbook.target import resolve

BOOKS = {slug: runbook.load(folder) for slug, folder in runbook.catalogue().items()}
OFFERED = [
    pytest.param(book, option.id, id=f"{slug}-{option.id}")
    for slug, book in BOOKS.items()
    for option in book.text.options
    if option.advice != "not_offered"
]
EVERY = [pytest.param(book, id=slug) for slug, book in BOOKS.items()]

Make = Callable[[str], str]


class Case:
    """One runbook, one option, and a copy of its application."""

    def __init__(self, book: Runbook, option: str, folder: Path, environment: pytest.MonkeyPatch) -> None:
        self.book = book
        self.option = option
        self.folder = folder
        self.environment = environment
        self.app = folder / "app"
        if (book.folder / "app").is_dir():
            shutil.copytree(book.folder / "app", self.app)

    def on(self, conninfo: str) -> Incident:
        """Begin the incident on a database."""
        self.environment.setenv("RUNBOOK_TARGET", conninfo)
        return Incident.begin(
            runbook=str(self.book.folder),
            target="env:RUNBOOK_TARGET",
            option=self.option,
            values={"app": str(self.app)} if "app" in self.book.text.parameters else {},
            incidents=str(self.folder / "incidents"),
            allow_dangerous=self.book.option(self.option).advice == "advised_against",
        )

    def files(self) -> Mapping[str, str]:
        """The digest of every file of the application."""
        paths = (path for path in self.app.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture
def make_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Runbook, str], Case]:
    return lambda book, option: Case(book, option, tmp_path, monkeypatch)


def fingerprint(conninfo: str) -> str:
    os.environ["RUNBOOK_TARGET"] = conninfo
    with resolve("env:RUNBOOK_TARGET").reading() as conn:
        return snapshot.read(conn).fingerprint()


def rows(conninfo: str) -> Mapping[str, int]:
    """How many rows each table has."""
    with psycopg.connect(conninfo) as conn:
        tables = conn.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
        ).fetchall()
        return {name: conn.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()[0] for (name,) in tables}


def take_through(case: Case, make_database: Make) -> None:
    """From the fault to the rollback, with every refusal on the way."""
    broken = make_database(case.book.broken)
    before, files, counts = fingerprint(broken), case.files(), rows(broken)

    found = case.on(broken)
    assert found.reproduction.failing
    found.diagnosed()
    assert found.rehearsal.green
    assert (fingerprint(broken), case.files()) == (before, files)

    with pytest.raises(NotApproved):
        found.approve("")
    with pytest.raises(NotApproved):
        found.apply()
    assert (fingerprint(broken), case.files()) == (before, files)

    repair = Incident.resume(str(found.folder))
    repair.approve(found.plan.digest)
    assert repair.still_there().failing
    repair.apply()
    assert repair.verify().verified
    assert repair.repaired().exit_code == 0
    with pytest.raises(NotThisIncident):
        case.on(broken).diagnosed()

    back = Incident.resume(str(found.folder))
    back.approve(found.plan.digest)
    back.rollback()
    assert back.verify_rollback().verified
    assert back.rolled_back().exit_code == 0
    assert (fingerprint(broken), case.files()) == (before, files)
    assert rows(broken) == counts


@pytest.mark.parametrize(("book", "option"), OFFERED)
def test_every_option_mends_its_incident_and_can_be_taken_back(
    book: Runbook, option: str, make_case: Callable[[Runbook, str], Case], make_database: Make
) -> None:
    take_through(make_case(book, option), make_database)
