"""What should be, read from SQL that people and tools really keep, and from databases."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import embedded, runbook
from mendbook.errors import MendbookError, Usage
from mendbook.schema import expectation
from mendbook.schema.key import Key
from mendbook.schema.snapshot import Snapshot

from tests.helpers import read, run

ORDERS = """
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state state NOT NULL DEFAULT 'new');
CREATE INDEX orders_state ON orders (state);
INSERT INTO orders (state) VALUES ('new'), ('paid');
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END;
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def columns(found: Snapshot, table: str, schema: str = "public") -> list[str]:
    return [each.name for each in found.columns(schema, table)]


def dump(conninfo: str, *options: str) -> str:
    """What the real pg_dump writes."""
    tool = max(embedded.majors().items())[1] / "pg_dump"
    done = subprocess.run([tool, "--dbname", conninfo, *options], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_dump_with_owners_grants_and_rows(server: embedded.Server, database: str, tmp_path: Path) -> None:
    run(database, ORDERS)
    run(database, "CREATE ROLE shop; ALTER TABLE orders OWNER TO shop; CREATE ROLE accounts")
    try:
        run(database, "GRANT SELECT ON orders TO accounts")
        text = dump(database, "--create")
    finally:
        run(database, "DROP OWNED BY accounts; REASSIGN OWNED BY shop TO postgres; DROP ROLE shop; DROP ROLE accounts")
    path = tmp_path / "dump.sql"
    path.write_text(text)
    found = expectation.read(f"sql:{path}")
    assert found.snapshot.parts.keys() == read(database).parts.keys()
    assert columns(found.snapshot, "orders") == ["id", "state"]
    notes = "\n".join(found.notes)
    for said in (
        "The role shop was made",
        "The role accounts was made",
        "CREATE DATABASE in dump.sql:",
        "psql's \\restrict",
    ):
        assert said in notes
    assert "The rows that dump.sql copies in were left out." in found.notes
    with server.scratch() as other:
        run(server.conninfo(other), "CREATE ROLE shop; DROP ROLE shop")  # what the dump needed is not here


def test_a_dump_keeps_the_schema(database: str, tmp_path: Path) -> None:
    run(database, ORDERS)
    (tmp_path / "dump.sql").write_text(dump(database))
    assert expectation.read(f"sql:{tmp_path}").snapshot.fingerprint() == read(database).fingerprint()


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("CREATE EXTENSION no_such; COMMENT ON EXTENSION no_such IS 'x'", 'extension "no_such" is not available'),
        ("SET no_such_setting = on", 'unrecognized configuration parameter "no_such_setting"'),
        ("ALTER DATABASE shop SET work_mem = '1MB'", 'database "shop" does not exist'),
        ("CREATE DATABASE shop", "all of it was run in one scratch database"),
        ("CREATE ROLE postgres PASSWORD 'hunter22'", 'role "postgres" already exists'),
        ("\\connect shop", "psql's \\connect in a.sql was left out"),
        ("SET ROLE shop; CREATE TABLE u (); RESET ROLE", "The role shop was made without login"),
        ("BEGIN; CREATE TABLE u (); GRANT SELECT ON u TO shop; COMMIT", "The role shop was made without login"),
        ("BEGIN; CREATE TABLE u (); SET no_such_setting = on; COMMIT", "no_such_setting"),
    ],
)
def test_what_the_scratch_server_lacks_is_said(statement: str, note: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"a.sql": f"CREATE TABLE s ();\n{statement}\n;CREATE TABLE t (a int);"}) / "a.sql"
    found = expectation.read(f"sql:{path}")
    assert columns(found.snapshot, "t") == ["a"]
    assert (Key("table", "public", "u") in found.snapshot.objects) == ("TABLE u" in statement)
    assert note in "\n".join(found.notes)
    assert "hunter22" not in "\n".join(found.notes)


def test_scripts_that_include_one_another_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": "\\ir more/b.sql\n", "more/b.sql": f"SELECT 1;\n\\i {tmp_path}/a.sql\n"})
    with pytest.raises(Usage, match=r"more/b\.sql:2 includes a script in itself"):
        expectation.read(f"sql:{tmp_path}/a.sql")


def test_what_was_left_out_is_said_where_it_may_be_why_the_rest_fails(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": "CREATE EXTENSION no_such;\nCREATE TABLE t (a no_such_type);"})
    with pytest.raises(Usage, match=r"a\.sql:2 fails .*\(42704\)(?s:.*)extension \"no_such\" is not available"):
        expectation.read(f"sql:{tmp_path}")


def test_what_a_script_sets_ends_with_it(tmp_path: Path) -> None:
    sets = "SELECT set_config('search_path', '', false); SET ROLE shop; BEGIN; CREATE TABLE public.lost ();"
    write(tmp_path, {"1_a.sql": sets, "2_b.sql": "CREATE TABLE t ();"})
    assert [each.name for each in expectation.read(f"sql:{tmp_path}").snapshot.tables()] == ["t"]


def test_what_only_psql_can_carry_out_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": "SELECT 1;\nSELECT 'CREATE TABLE t ()' \\gexec\n"})
    with pytest.raises(Usage, match=r"a\.sql:2 has \\gexec, which only psql can carry out"):
        expectation.read(f"sql:{tmp_path}")


def test_scripts_of_a_folder_run_by_their_numbers_and_include_others(tmp_path: Path) -> None:
    write(tmp_path, {"10_b.sql": "ALTER TABLE t ADD b int;", "9_a.sql": "\\ir more/t.sql\n"})
    write(tmp_path, {"more/t.sql": "CREATE TABLE t (a int);"})
    assert columns(expectation.read(f"sql:{tmp_path}").snapshot, "t") == ["a", "b"]


FOLDERS = {
    "numbered": {
        "001_a.sql": "CREATE TABLE t (id int, a int);",
        "002_b.sql": "ALTER TABLE t ADD b int;",
        "002_b.down.sql": "ALTER TABLE t DROP b;",
        "010_c.sql": "INSERT INTO t VALUES (1); UPDATE t SET b = 1; ALTER TABLE t ALTER b SET NOT NULL;",
    },
    "golang-migrate": {
        "1_a.up.sql": "CREATE TABLE t (id int, a int);",
        "1_a.down.sql": "DROP TABLE t;",
        "2_b.up.sql": "ALTER TABLE t ADD b int;",
        "2_b.down.sql": "ALTER TABLE t DROP b;",
        "10_c.up.sql": "ALTER TABLE t ALTER b SET NOT NULL;",
        "10_c.down.sql": "ALTER TABLE t ALTER b DROP NOT NULL;",
    },
    "goose": {
        "00001_a.sql": "-- +goose Up\nCREATE TABLE t (id int, a int);\n-- +goose Down\nDROP TABLE t;\n",
        "00002_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nALTER TABLE t ADD b int;\n"
        "-- +goose StatementEnd\nCREATE INDEX CONCURRENTLY i ON t (b);\n-- +goose Down\nALTER TABLE t DROP b;\n",
        "00010_c.sql": "-- +goose Up\nALTER TABLE t ALTER b SET NOT NULL;",
    },
    "dbmate": {
        "20250101000000_a.sql": "-- migrate:up\nCREATE TABLE t (id int, a int);\n-- migrate:down\nDROP TABLE t;\n",
        "20250102000000_b.sql": "-- migrate:up transaction:false\nALTER TABLE t ADD b int;\n\n-- migrate:down\nDROP",
        "20250103000000_c.sql": "-- migrate:up\nALTER TABLE t ALTER b SET NOT NULL;\n-- migrate:down\n",
    },
    "sqitch": {
        "sqitch.plan": "%syntax-version=1.0.0\n%project=shop\n\nt 2025-01-01T00:00:00Z A <a@b.c> # first\n"
        "@v1 2025-01-01T00:00:00Z A <a@b.c> # tag\nb [t] 2025-01-02T00:00:00Z A <a@b.c> # more\n"
        "t [t@v1] 2025-01-03T00:00:00Z A <a@b.c> # reworked\n",
        "deploy/t@v1.sql": "BEGIN;\nCREATE TABLE t (id int, a int);\nCOMMIT;\n",
        "deploy/b.sql": "BEGIN;\nALTER TABLE t ADD b int;\nCOMMIT;\n",
        "deploy/t.sql": "BEGIN;\nALTER TABLE t ALTER b SET NOT NULL;\nCOMMIT;\n",
        "revert/t.sql": "DROP TABLE t;\n",
    },
    "flyway": {
        "V1__a.sql": "CREATE TABLE t (id int, a int);",
        "V2.9__b.sql": "ALTER TABLE t ADD b int;",
        "sub/V2.10__c.sql": "ALTER TABLE t ALTER b SET NOT NULL;",
        "U2.9__b.sql": "ALTER TABLE t DROP b;",
        "R__a_view.sql": "CREATE OR REPLACE VIEW v AS SELECT b FROM t;",
    },
    "liquibase": {
        "1.sql": "--liquibase formatted sql\n--changeset me:1\nCREATE TABLE t (id int, a int);\n"
        "--rollback DROP TABLE t;\n"
        "--changeset me:2 dbms:mysql\nALTER TABLE t ENGINE = InnoDB;\n"
        "--changeset me:3 dbms:postgresql,h2\nALTER TABLE t ADD b int;\n/* liquibase rollback\nDROP TABLE t;\n*/\n",
        "2.sql": "--liquibase formatted sql\n--changeset me:4 splitStatements:false endDelimiter:/\n"
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 4 / 2; END $$\n/\n"
        "ALTER TABLE t ALTER b SET NOT NULL\n/\n",
    },
    "prisma": {
        "20250101000000_a/migration.sql": 'CREATE TABLE "t" ("id" int, "a" int);',
        "20250102000000_b/migration.sql": 'ALTER TABLE "t" ADD "b" int;',
        "20250103000000_c/migration.sql": 'ALTER TABLE "t" ALTER "b" SET NOT NULL;',
        "migration_lock.toml": 'provider = "postgresql"\n',
    },
    "drizzle": {
        "meta/_journal.json": json.dumps({"entries": [{"when": 1, "tag": "0000_z"}, {"when": 2, "tag": "0001_a"}]}),
        "0000_z.sql": 'CREATE TABLE "t" ("id" int, "a" int);--> statement-breakpoint\nALTER TABLE "t" ADD "b" int;',
        "0001_a.sql": 'ALTER TABLE "t" ALTER "b" SET NOT NULL;',
        "0002_not_in_the_journal.sql": "DROP TABLE t;",
    },
    "diesel": {
        "2025-01-01-000000_a/up.sql": "CREATE TABLE t (id int, a int);",
        "2025-01-01-000000_a/down.sql": "DROP TABLE t;",
        "2025-01-02-000000_b/up.sql": "ALTER TABLE t ADD b int;",
        "2025-01-02-000001_c/up.sql": "ALTER TABLE t ALTER b SET NOT NULL;",
    },
    "sqlx": {
        "20250101_a.sql": "CREATE TABLE t (id int, a int);",
        "20250102_b.sql": "ALTER TABLE t ADD b int;",
        "20250103_c.sql": "ALTER TABLE t ALTER b SET NOT NULL;",
    },
}


@pytest.mark.parametrize("tool", FOLDERS)
@pytest.mark.parametrize("named", [True, False], ids=["named", "recognised"])
def test_a_folder_of_migrations(tool: str, named: bool, tmp_path: Path) -> None:
    write(tmp_path, FOLDERS[tool])
    found = expectation.read(f"{tool if named else 'migrations'}:{tmp_path}")
    table = found.snapshot.columns("public", "t")
    assert [(each.name, each.not_null) for each in table] == [("id", False), ("a", False), ("b", True)]
    assert found.notes == ()


def test_every_folder_of_sql_migrations_is_shown_above() -> None:
    known = {each.prefix for each in expectation.origins().values() if isinstance(each.means, expectation.Layout)}
    assert known == set(FOLDERS)


def test_a_migration_runs_in_a_transaction_where_it_can(tmp_path: Path) -> None:
    text = "CREATE TABLE t ();\nLOCK TABLE t;\nSET LOCAL search_path = ''; CREATE TABLE public.u ();"
    write(tmp_path, {"1_a.sql": text, "2_b.sql": "CREATE INDEX CONCURRENTLY ON public.t ((1));"})
    write(
        tmp_path,
        {"3_c.sql": "COPY public.v FROM stdin;\n\\.\n".replace("public.v", "w"), "0_w.sql": "CREATE TABLE w ();"},
    )
    assert len(list(expectation.read(f"migrations:{tmp_path}").snapshot.tables())) == 3


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"1_a.sql": "CREATE TABLE t ();", "2_b.sql": "SELECT 1;\n\nALTER TABLE t\n  DROP c;"}, "2_b.sql:3"),
        ({"1_a.sql": "CREATE TABLE t ();\nCREATE INDEX ON t (\n  c\n);"}, "1_a.sql:2"),
        ({"1_a.sql": "-- +goose Up\nCREATE TABLE t ();\nSELECT\n c FROM t;\n-- +goose Down\nDROP"}, "1_a.sql:4"),
    ],
)
def test_a_migration_that_fails_is_named(files: dict[str, str], place: str, tmp_path: Path) -> None:
    write(tmp_path, files)
    with pytest.raises(Usage) as caught:
        expectation.read(f"migrations:{tmp_path}")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/{place} fails on the scratch database (42703): column ")
    assert "it is not known which schema is expected" in said


def test_what_fails_at_the_end_of_a_migration_is_named(tmp_path: Path) -> None:
    deferred = "CREATE TABLE t (a int UNIQUE, b int REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED);"
    write(tmp_path, {"1_a.sql": deferred, "2_b.sql": "\nINSERT INTO t (b) VALUES (1);"})
    with pytest.raises(Usage, match=r"2_b\.sql:2 fails .*\(23503\)"):
        expectation.read(f"migrations:{tmp_path}")


def test_a_program_among_the_migrations_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {**FOLDERS["goose"], "00003_rows.go": "package migrations", "rows_test.go": ""})
    with pytest.raises(Usage, match=r"00003_rows\.go is no SQL, so only its own tool can run it"):
        expectation.read(f"migrations:{tmp_path}")


def test_a_live_database_is_read_as_it_is(make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    conninfo = make_database(ORDERS)
    monkeypatch.setenv("EXPECTED_URL", conninfo)
    found = expectation.read("env:EXPECTED_URL")
    assert found.snapshot.fingerprint() == read(conninfo).fingerprint()
    assert found.notes == ()


def test_a_runbook_says_what_is_healthy(make_database: Callable[[str], str]) -> None:
    expected = read(make_database(runbook.find("missing-column").healthy or ""))
    assert expectation.read("runbook:missing-column").snapshot.fingerprint() == expected.fingerprint()


def test_a_version_that_is_not_installed_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": "CREATE TABLE t ();"})
    [note] = expectation.read(f"sql:{tmp_path}", major=9).notes
    assert note.startswith("PostgreSQL 9 is not installed here, so the scratch database is of PostgreSQL ")
    newest = max(embedded.majors())
    assert expectation.read(f"sql:{tmp_path}", major=newest).notes == ()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("gose:db", "Did you mean goose?"),
        ("sql:", "does not say where the schema is stated"),
        ("host=db password=secret", "does not say where the schema is stated"),
        ("sql:nowhere", "nowhere is neither a file nor a folder with .sql files"),
        ("migrations:nowhere", "migrations:nowhere names no folder that is here"),
        ("migrations:docs", "docs holds no SQL migrations of a known form"),
        ("goose:nowhere", "goose:nowhere names no folder that is here"),
        ("goose:docs", "docs holds no migrations of goose"),
        ("runbook:nowhere", "There is no runbook 'nowhere'"),
        ("postgresql://me:secret@db/shop", "holds a password"),
    ],
)
def test_what_cannot_be_understood_is_said(reference: str, said: str) -> None:
    with pytest.raises(MendbookError) as caught:
        expectation.read(reference)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_migrations_of_several_tools_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, {**FOLDERS["goose"], **FOLDERS["dbmate"]})
    with pytest.raises(Usage, match="holds migrations of several tools"):
        expectation.read(f"migrations:{tmp_path}")


def test_a_list_of_migrations_that_is_damaged_is_named(tmp_path: Path) -> None:
    write(tmp_path, {**FOLDERS["drizzle"], "meta/_journal.json": '{"entries": [{"idx": 0}]}'})
    with pytest.raises(Usage, match=r"_journal\.json is none that drizzle-kit writes"):
        expectation.read(f"migrations:{tmp_path}")


def test_a_role_that_a_migration_drops_is_not_made_again_and_again(tmp_path: Path) -> None:
    write(tmp_path, {"1_a.sql": "CREATE TABLE t ();\nDROP ROLE shop;\nGRANT SELECT ON t TO shop;"})
    with pytest.raises(Usage, match=r"1_a\.sql:3 fails .*\(42704\)"):
        expectation.read(f"migrations:{tmp_path}")


def test_rows_that_a_migration_copies_are_there_for_the_next(tmp_path: Path) -> None:
    write(tmp_path, {"1_a.sql": "CREATE TABLE t (id int PRIMARY KEY);\nCOPY t (id) FROM stdin;\n1\n\\.\n"})
    write(tmp_path, {"1_z.sql": "COPY t (id) FROM stdin;\n\\.\n"})
    write(tmp_path, {"2_b.sql": "CREATE TABLE u (t int REFERENCES t); INSERT INTO u VALUES (1);"})
    found = expectation.read(f"migrations:{tmp_path}")
    assert columns(found.snapshot, "u") == ["t"]
    assert found.notes == ()
