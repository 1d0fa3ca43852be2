"""A preflight: what fails, what only waits for the pending migrations, and what they would break."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mendbook.errors import Usage
from mendbook.preflight import Preflight
from mendbook.report import Report

from tests.helpers import fingerprint, run
from tests.tools import ALEMBIC, App

Make = Callable[[str], str]

LEDGER = "CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());"
MIGRATIONS = {
    "001_users.sql": "CREATE TABLE users (id bigserial PRIMARY KEY, nickname text);",
    "002_orders.sql": "CREATE TABLE orders (id bigserial PRIMARY KEY, user_id bigint REFERENCES users, total numeric);",
    "003_shipped.sql": "ALTER TABLE orders ADD COLUMN shipped_at timestamptz;",
}
SOURCE = """
ORDER = "SELECT o.total, u.nickname FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id = %s"
SHIPPED = "SELECT id FROM orders WHERE shipped_at IS NOT NULL"
"""


def applied(*names: str) -> str:
    """The SQL of a database on which these migrations ran."""
    rows = "".join(f"INSERT INTO schema_migrations VALUES ('{name}');" for name in names)
    return LEDGER + "".join(MIGRATIONS[name] for name in names) + rows


class Shop:
    """An application in a folder, and its database behind env:SHOP."""

    def __init__(self, folder: Path, conninfo: str) -> None:
        self.folder = folder
        self.conninfo = conninfo
        self.migrations = folder / "migrations"
        self.write("migrations", MIGRATIONS)
        self.write("app", {"store.py": SOURCE})

    def write(self, place: str, files: Mapping[str, str]) -> None:
        (self.folder / place).mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / place / name).write_text(text, encoding="utf-8")

    def begin(self, *parts: str, **more: str) -> Preflight:
        """Ask for *parts* of it, or for all."""
        known = {
            "source": str(self.folder / "app"),
            "expect": f"migrations:{self.migrations}",
            "migrations": str(self.migrations),
        }
        asked = {name: known[name] for name in parts or known}
        return Preflight.begin(target="env:SHOP", output=str(self.folder / "preflight"), **{**asked, **more})

    def look(self, *parts: str, **more: str) -> Report:
        before = fingerprint(self.conninfo)
        found = self.begin(*parts, **more).reported()
        assert fingerprint(self.conninfo) == before
        return found


@pytest.fixture
def make_shop(tmp_path: Path, make_database: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Shop]:
    def make(statements: str) -> Shop:
        conninfo = make_database(statements)
        monkeypatch.setenv("SHOP", conninfo)
        return Shop(tmp_path, conninfo)

    return make


def verdicts(found: Report, name: str) -> dict[str, str]:
    """The verdict of each finding of a check, by its name."""
    [made] = [each for each in found.checks if each.name == name]
    return {each.cells[1]: each.cells[0] for each in made.findings}


def failing(found: Report) -> set[str]:
    return {each.cells[1] for made in found.checks for each in made.failing}


def test_what_every_check_finds_fine_is_healthy(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    found = shop.look()
    assert [each.verdict for each in found.checks] == ["passes", "passes", "passes"]
    assert (found.exit_code, found.verdict) == (0, "healthy (migrations, schema, statements)")
    assert [each.summary for each in found.checks][::2] == ["3 applied", "2 passes"]


def test_what_waits_for_a_pending_migration_does_not_fail(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied("001_users.sql", "002_orders.sql"))
    found = shop.look()
    assert verdicts(found, "migrations") == {"003_shipped.sql": "pending"}
    assert verdicts(found, "schema")["column public.orders.shipped_at"] == "pending"
    assert verdicts(found, "statements") == {"store.py:3": "pending"}
    assert found.exit_code == 0
    alone = shop.look("source")
    assert verdicts(alone, "statements") == {"store.py:3": "fails"}  # nobody said that a migration is pending
    assert alone.exit_code == 3


def test_a_pending_migration_that_breaks_a_statement_fails(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    shop.write("migrations", {"004_nickname.sql": "ALTER TABLE users DROP COLUMN nickname;"})
    found = shop.look("source", "migrations")
    assert verdicts(found, "statements") == {"store.py:2": "will fail"}
    assert found.exit_code == 3


def test_a_pending_migration_that_a_hot_fix_has_overtaken_fails(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied("001_users.sql", "002_orders.sql"))
    run(shop.conninfo, MIGRATIONS["003_shipped.sql"])
    found = shop.look()
    assert failing(found) == {"003_shipped.sql"}
    assert found.checks[0].summary == "2 applied, 1 pending, 1 will fail"
    [told] = [each for made in found.checks for each in made.failing]
    assert told.cells[0] == "pending, will fail"
    assert "003_shipped.sql:1 fails on a clone of this schema with 42701" in told.cells[2]


def test_what_the_clone_cannot_try_does_not_fail(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    shop.write("migrations", {"004_extension.sql": "CREATE EXTENSION nobody_has_this;"})
    found = shop.look("migrations")
    assert verdicts(found, "migrations") == {"004_extension.sql": "pending"}
    assert found.exit_code == 0
    assert "it is not known what it and the later ones mend" in found.checks[0].notes[-1]


@pytest.mark.parametrize(
    ("change", "name", "verdict"),
    [
        ("ALTER TABLE orders DROP COLUMN shipped_at", "003_shipped.sql", "phantom"),
        ("INSERT INTO schema_migrations VALUES ('000_gone.sql')", "000_gone.sql", "orphan"),
        ("DELETE FROM schema_migrations WHERE name ~ '^001'", "001_users.sql", "out of order, pending, will fail"),
    ],
)
def test_a_migration_that_is_neither_applied_nor_pending_fails(
    change: str, name: str, verdict: str, make_shop: Callable[[str], Shop]
) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    run(shop.conninfo, change)
    found = shop.look("migrations")
    assert verdicts(found, "migrations") == {name: verdict}
    assert found.exit_code == 3


def test_only_what_the_schema_lacks_or_has_otherwise_fails(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    run(
        shop.conninfo,
        "CREATE TABLE extra (id int); COMMENT ON TABLE users IS 'people'; ALTER TABLE orders ADD CHECK (total > 0)",
    )
    assert shop.look("expect").exit_code == 0
    run(shop.conninfo, "ALTER TABLE orders DROP COLUMN shipped_at, ALTER COLUMN total TYPE bigint")
    found = shop.look("expect")
    assert failing(found) == {"column public.orders.shipped_at", "column public.orders.total"}
    assert found.checks[0].next == f"mendbook diff env:SHOP migrations:{shop.migrations}"


def test_what_a_pending_program_makes_is_taken_from_the_models(
    tmp_path: Path, make_database: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = make_database("")
    monkeypatch.setenv("SHOP", conninfo)
    app = App(ALEMBIC, tmp_path, conninfo)
    app.add(0)
    app.apply()
    app.add(1)
    app.write(
        {
            "src/a.py": 'A = "SELECT shipped_at FROM orders"\nB = "SELECT nonesuch FROM orders"\n',
            "migrations/versions/c3_items.py": "from alembic import op\nrevision = 'c3'\ndown_revision = 'b2'\n"
            "def upgrade():\n    op.execute('CREATE TABLE items (id bigserial PRIMARY KEY, n int)')\n",
            "src/b.py": 'C = "SELECT n FROM items"\n',
        }
    )
    asked = {"source": str(tmp_path / "src"), "migrations": str(app.migrations), "output": str(tmp_path / "out")}
    found = Preflight.begin(target="env:SHOP", expect=f"alembic:{tmp_path}", **asked).reported()
    assert verdicts(found, "migrations") == {"b2_add_shipped.py": "pending", "c3_items.py": "pending"}
    assert set(verdicts(found, "schema").values()) == {"pending"}
    assert verdicts(found, "statements") == {"a.py:1": "pending", "b.py:1": "pending", "a.py:2": "fails"}
    alone = Preflight.begin(target="env:SHOP", **asked).reported()
    assert verdicts(alone, "statements") == {"a.py:1": "fails", "b.py:1": "fails", "a.py:2": "fails"}
    assert "b2_add_shipped.py is a program, so it is not known what" in alone.checks[0].notes[-1]


def test_the_ledger_tells_whose_migrations_they_are(make_shop: Callable[[str], Shop]) -> None:
    shop = make_shop(applied(*MIGRATIONS))
    audit = shop.begin("migrations").audit
    assert audit is not None
    assert audit.framework == "numbered"
    run(shop.conninfo, "DROP TABLE schema_migrations")
    with pytest.raises(Usage, match=r"It is not clear whose migrations .* Name the tool \(framework\)"):
        shop.look("migrations")
    first = shop.look("migrations", framework="numbered")
    assert failing(first) == {"001_users.sql"}  # the tables are there, and the ledger is not


def test_what_was_not_asked_for_shows_nothing(make_shop: Callable[[str], Shop]) -> None:
    begun = make_shop(applied(*MIGRATIONS)).begin("source")
    assert (begun.audit, begun.comparison) == (None, None)
    assert [each.name for each in begun.reported().checks] == ["statements"]
