"""A migration is recorded without being run only where all that it makes is there, and alike."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import psycopg
import pytest
from mendbook import runbook
from mendbook.errors import NotThisIncident, Refused, Usage
from mendbook.incident import Incident
from psycopg.conninfo import make_conninfo

from tests.helpers import broken, run

CREATE, WEIGH = "001_create_parcels.sql", "002_weigh_parcels.sql"


class Depot:
    """A database whose ledger is behind, and a copy of its migrations."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.migrations = folder / "migrations"
        shutil.copytree(runbook.find("duplicate-object").folder / "migrations", self.migrations)

    def begin(self, migration: str = WEIGH, framework: str = "numbered") -> Incident:
        return Incident.begin(
            runbook="duplicate-object",
            target="env:DEPOT",
            values={"migration": migration, "framework": framework, "migrations": str(self.migrations)},
            incidents=str(self.folder / "incidents"),
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database) as conn:
            return conn.execute(query.encode()).fetchall()


@pytest.fixture
def depot(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Depot:
    run(database, broken("duplicate-object"))
    monkeypatch.setenv("DEPOT", database)
    return Depot(database, tmp_path)


def apply(incident: Incident) -> None:
    incident.diagnosed()
    incident.approve(incident.plan.digest)
    incident.apply()
    assert incident.verify().verified


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "DROP INDEX parcels_weight_idx",
            r"(?s)not recorded as done.*missing +index public.parcels.parcels_weight_idx",
        ),
        ("ALTER TABLE parcels ALTER weight TYPE real", r"(?s)changed +column public.parcels.weight +type: real"),
        ("ALTER TABLE parcels DROP weight", r"(?s)missing +column public.parcels.weight"),
    ],
)
def test_what_is_missing_or_another_is_named(change: str, said: str, depot: Depot) -> None:
    run(depot.database, change)
    with pytest.raises(Refused, match=said):
        depot.begin().diagnosed()
    assert depot.rows("SELECT name FROM schema_migrations") == [(CREATE,)]


def test_what_later_changes_added_beside_it_does_not_matter(depot: Depot) -> None:
    run(depot.database, "ALTER TABLE parcels ADD COLUMN colour text")
    apply(depot.begin())
    assert depot.rows("SELECT name FROM schema_migrations ORDER BY name") == [(CREATE,), (WEIGH,)]


def test_the_record_is_that_of_the_migrations_own_text(depot: Depot) -> None:
    shutil.rmtree(depot.migrations)
    folder = depot.migrations / "20260301090000_create"
    folder.mkdir(parents=True)
    text = "CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number text NOT NULL UNIQUE);\n"
    (folder / "migration.sql").write_text(text)
    run(depot.database, "ALTER TABLE parcels DROP weight; DROP TABLE schema_migrations")
    apply(depot.begin(folder.name, "prisma"))
    [(checksum,)] = depot.rows("SELECT checksum FROM _prisma_migrations")
    assert checksum == hashlib.sha256(text.encode()).hexdigest()


def test_the_schemas_of_the_search_path_are_there(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    run(depot.database, 'CREATE SCHEMA "my depot"; ALTER TABLE parcels SET SCHEMA "my depot"')
    run(depot.database, 'ALTER TABLE schema_migrations SET SCHEMA "my depot"')
    monkeypatch.setenv("DEPOT", make_conninfo(depot.database, options='-csearch_path="my\\ depot"'))
    apply(depot.begin())


def test_what_earlier_migrations_do_to_rows_does_not_matter(depot: Depot) -> None:
    path = depot.migrations / CREATE
    path.write_text(path.read_text() + "INSERT INTO parcels (number) VALUES ('first');\n")
    apply(depot.begin())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (WEIGH, "ALTER TABLE parcels ADD weight real;\nUPDATE parcels SET weight = 1;", f"{WEIGH}:2: UPDATE does more"),
        (WEIGH, "DROP TABLE IF EXISTS boxes;", f"{WEIGH} makes nothing that a comparison"),
        (WEIGH, "CREATE EXTENSION no_such;", f"CREATE EXTENSION in {WEIGH}:1 was left out"),
        (CREATE, "SELECT 1;", f"{CREATE}:1: SELECT does more than a comparison"),
        (CREATE, "CREATE TABLE boxes ();", rf"(?s){WEIGH}:1 fails on the scratch .*42P01.*unknown what {WEIGH} makes"),
    ],
    ids=[
        "it changes rows",
        "it makes nothing",
        "it needs what is not here",
        "an earlier one does more",
        "an earlier one is not what ran",
    ],
)
def test_where_it_cannot_be_shown_nothing_is_recorded(name: str, text: str, said: str, depot: Depot) -> None:
    (depot.migrations / name).write_text(text)
    with pytest.raises(Refused, match=said):
        depot.begin().diagnosed()


def test_what_a_program_makes_is_unknown(depot: Depot) -> None:
    (depot.migrations / "001-create.js").write_text("module.exports = {};\n")
    (depot.migrations / "002-weigh.js").write_text("module.exports = {};\n")
    with pytest.raises(Refused, match=r"001-create.js is a program, so it is unknown what 002-weigh.js makes"):
        depot.begin("002-weigh.js", "sequelize").diagnosed()


def test_a_migration_that_is_not_there_is_named(depot: Depot) -> None:
    with pytest.raises(Usage, match=rf"no migration '002_weigh.sql'; .* Did you mean {WEIGH}"):
        depot.begin("002_weigh.sql").diagnosed()


def test_a_migration_that_is_recorded_is_no_incident(depot: Depot) -> None:
    with pytest.raises(NotThisIncident, match="No statement of duplicate-object fails"):
        depot.begin(CREATE).diagnosed()
