from __future__ import annotations

import json
from pathlib import Path

import pytest
from mendbook import ledger
from mendbook.errors import Usage
from mendbook.ledger import Entry

FOLDERS = {
    "numbered": (["001_a.sql", "015_b.sql", "2_c.sql", "10_d.sql"], ["001_a.down.sql", "notes.sql", "old/003_d.sql"]),
    "prisma": (["20250101000000_init/migration.sql", "20250201000000_more/migration.sql"], ["migration_lock.toml"]),
    "sequelize": (["20250101-a.cjs", "20250102-b.js", "20250103-c.ts"], ["README.md", "a.d.ts"]),
    "knex": (["20250101000000_a.js", "20250102000000_b.ts"], ["a.d.ts", "b.sql"]),
    "node_pg_migrate": (["9_b.sql", "1700000000000_a.js"], [".hidden.js"]),
    "rails": (["20250101000000_add_a.rb", "20250102000000_add_b.rb"], ["schema.rb"]),
    "ecto": (["20250101000000_a.exs", "20250102000000_b.exs"], [".formatter.exs", "a.ex"]),
    "flyway": (
        ["V1__a.sql", "V1_2__c.sql", "V1.10__b.sql", "V2__d.java", "z/R__a.sql", "R__a_view.sql"],
        ["U1__a.sql", "notes.sql", "Helper.java"],
    ),
    "ef_core": (["20250101000000_A.cs", "20250102000000_B.cs"], ["20250101000000_A.Designer.cs", "Snapshot.cs"]),
    "golang_migrate": (["2_a.up.sql", "10_b.up.sql"], ["2_a.down.sql", "x.sql"]),
    "goose": (["00002_a.sql", "00010_b.go"], ["00010_b_test.go", "x.sql"]),
    "dbmate": (["10_b.sql", "1_a.sql", "2_c.sql"], ["x.sql"]),
    "sqlx": (["2_a.sql", "10_b.up.sql"], ["10_b.down.sql"]),
    "diesel": (["2025-01-01-000000_a/up.sql", "2025-01-02-000000_b/up.sql"], ["2025-01-01-000000_a/down.sql"]),
    "refinery": (["V2__a.sql", "V10__b.rs"], ["mod.rs"]),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_migrations_of_a_folder_come_in_the_order_in_which_they_run(name: str, tmp_path: Path) -> None:
    wanted, others = FOLDERS[name]
    for each in sorted((*wanted, *others)):
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text("SELECT 1;\n")
    found = ledger.of(name).migrations(tmp_path)
    assert [each.path.relative_to(tmp_path).as_posix() for each in found] == wanted
    assert [each.program for each in found] == [not each.endswith(".sql") for each in wanted]


@pytest.mark.parametrize(
    ("name", "file", "recorded"),
    [
        ("goose", "00002_a.sql", "2"),
        ("golang_migrate", "000010_b.up.sql", "10"),
        ("diesel", "2025-01-01-000000_a/up.sql", "20250101000000"),
        ("django", "shop/migrations/0002_total.py", "shop.0002_total"),
        ("node_pg_migrate", "1700000000000_a.sql", "1700000000000_a"),
        ("typeorm", "1700000000000-AddA.ts", "AddA1700000000000"),
        ("flyway", "orders/V2__total.sql", "orders/V2__total.sql"),
        ("flyway", "orders/V2_1__Total.java", "V2_1__Total"),
        ("prisma", "migrations/20250101000000_init/migration.sql", "20250101000000_init"),
    ],
)
def test_a_migration_is_called_what_its_tool_records(name: str, file: str, recorded: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    assert [each.name for each in ledger.of(name).migrations(tmp_path)] == [recorded]


def test_the_class_of_typeorm_decides(tmp_path: Path) -> None:
    (tmp_path / "1700000000000-a.ts").write_text("export class Renamed1700000000001 implements MigrationInterface {}")
    assert [each.name for each in ledger.of("typeorm").migrations(tmp_path)] == ["Renamed1700000000001"]


def test_a_list_decides_which_there_are_and_in_which_order(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    listed = [{"when": 9, "tag": "0000_b"}, {"when": 10, "tag": "0001_a"}]
    (tmp_path / "meta" / "_journal.json").write_text(json.dumps({"entries": listed}))
    for each in ("0000_b", "0001_a", "0002_unlisted"):
        (tmp_path / f"{each}.sql").write_text(f"SELECT '{each}'")
    found = ledger.of("drizzle").migrations(tmp_path)
    assert [(each.name, each.title, each.text) for each in found] == [
        ("9", "0000_b.sql", "SELECT '0000_b'"),
        ("10", "0001_a.sql", "SELECT '0001_a'"),
    ]


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "_journal.json").write_text("[]")
    with pytest.raises(Usage, match=r"_journal\.json is none that drizzle-kit writes"):
        ledger.of("drizzle").migrations(tmp_path)


def test_the_plan_of_sqitch_is_read(tmp_path: Path) -> None:
    plan = "%syntax-version=1.0.0\n%project=shop\n\nusers 2025-01-01T00:00:00Z Kim <kim@example.org> # Users.\n"
    plan += (
        "orders [users] 2025-01-02T00:00:00Z Kim <kim@example.org>\n@v1 2025-01-03T00:00:00Z Kim <kim@example.org>\n"
    )
    (tmp_path / "sqitch.plan").write_text(plan)
    (tmp_path / "deploy").mkdir()
    for each in ("users", "orders", "unplanned"):
        (tmp_path / "deploy" / f"{each}.sql").write_text("SELECT 1;")
    found = ledger.of("sqitch").migrations(tmp_path)
    assert [(each.name, each.title) for each in found] == [
        ("users", "deploy/users.sql"),
        ("orders", "deploy/orders.sql"),
    ]


def test_each_form_of_a_change_that_was_reworked_has_a_script(tmp_path: Path) -> None:
    (tmp_path / "sqitch.plan").write_text(
        "+users 2025\n-users 2025\n@v1 2025\n@v2 2025\nusers [users@v1] 2025\n@v3 2025\n"
    )
    (tmp_path / "deploy").mkdir()
    for each in ("users", "users@v1"):
        (tmp_path / "deploy" / f"{each}.sql").write_text("SELECT 1;")
    found = ledger.of("sqitch").migrations(tmp_path)
    assert [(each.name, each.title) for each in found] == [
        ("users", "deploy/users@v1.sql"),
        ("users (2)", "deploy/users.sql"),
    ]


def test_the_changesets_of_a_formatted_changelog_are_read(tmp_path: Path) -> None:
    (tmp_path / "changelog.sql").write_text(
        "--liquibase formatted sql\n\n--changeset kim:1 splitStatements:false\nSELECT 1;\n--changeset kim:two\n"
    )
    found = ledger.of("liquibase").migrations(tmp_path)
    assert [each.name for each in found] == ["changelog.sql::1::kim", "changelog.sql::two::kim"]


def test_a_changeset_of_another_database_is_none_of_ours_and_a_plain_script_is_one(tmp_path: Path) -> None:
    changesets = (
        '--changeset "Kim Lee":1 dbms:mysql\nSELECT 1;\n  -- changeset Kim Lee:"two b" dbms:!mysql\nSELECT 2;\n'
    )
    (tmp_path / "a.sql").write_text(f"-- liquibase formatted sql logicalFilePath:db/x.sql\n{changesets}")
    (tmp_path / "b.sql").write_text("SELECT 3;\n")
    found = ledger.of("liquibase").migrations(tmp_path)
    assert [(each.name, each.text) for each in found] == [
        ("x.sql::two b::Kim Lee", "\n\n\n\nSELECT 2;\n"),
        ("b.sql::raw::includeAll", "SELECT 3;\n"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("goose", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        ("dbmate", "-- migrate:up transaction:false\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n"),
        ("node_pg_migrate", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n"),
        ("node_pg_migrate", "-- Down Migration\nSELECT 2;\n-- Up Migration\nSELECT 1;\n"),
    ],
)
def test_of_one_file_for_both_directions_the_forward_part_runs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text(text)
    [found] = ledger.of(name).migrations(tmp_path)
    assert found.text.strip() == "SELECT 1;"
    line = text.split("\n").index("SELECT 1;")
    assert found.text.split("\n")[line] == "SELECT 1;"


def test_dbmate_runs_several_parts_of_one_file(tmp_path: Path) -> None:
    """As parseMigrationContents() of pkg/dbmate/migration.go does."""
    parts = "-- migrate:up\nSELECT {};\n-- migrate:down\nSELECT 0;\n"
    (tmp_path / "1_a.sql").write_text(parts.format(1) + parts.format(2))
    [found] = ledger.of("dbmate").migrations(tmp_path)
    assert found.text.split() == ["SELECT", "1;", "SELECT", "2;"]


REVISION = 'raise SystemExit("a migration is read, never run")\nrevision: str = "{}"\ndown_revision: str | None = {}\n'


def test_revisions_of_alembic_come_after_those_they_revise(tmp_path: Path) -> None:
    for name, before in (("a9", None), ("b1", "a9"), ("c0", "a9"), ("a0", ("b1", "c0"))):
        (tmp_path / f"{name}_x.py").write_text(REVISION.format(name, repr(before)))
    (tmp_path / "env.py").write_text("revision = 'no'")
    (tmp_path / "broken.py").write_text("def")
    kept = ledger.of("alembic")
    found = kept.migrations(tmp_path)
    assert [each.name for each in found] == ["a9", "b1", "c0", "a0"]
    at_b1 = [Entry(name="b1", state="done", at=None, checksum=None)]
    assert kept.done(at_b1, found) == {"a9", "b1"}


def test_dependencies_that_only_the_settings_know_do_not_hide_the_others(tmp_path: Path) -> None:
    for name in ("0001_a", "0000_b"):
        (tmp_path / "shop" / "migrations").mkdir(parents=True, exist_ok=True)
        listed = "swappable(settings.USER), ('shop', '0001_a')" if name == "0000_b" else ""
        (tmp_path / "shop" / "migrations" / f"{name}.py").write_text(f"dependencies = [{listed}]\nx = '\\d'")
    assert [each.name for each in ledger.of("django").migrations(tmp_path)] == ["shop.0001_a", "shop.0000_b"]


def test_migrations_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(REVISION.format("a", "'b'"))
    (tmp_path / "b.py").write_text(REVISION.format("b", "'a'"))
    with pytest.raises(Usage, match=r"in a circle: (a → b → a|b → a → b)"):
        ledger.of("alembic").migrations(tmp_path)
