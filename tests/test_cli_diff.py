"""The command diff: two schemas compared, and the SQL that makes them the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook.servers import binaries, cluster

from tests.helpers import assert_no_traceback, fingerprint, mendbook, read, run

Make = Callable[[str], str]

LIVE = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE users (id int PRIMARY KEY, name varchar(20), feels mood DEFAULT 'sad', visits int);
CREATE VIEW named AS SELECT id, name FROM users;
CREATE TABLE gone (a int);
INSERT INTO users SELECT n, 'x' || n, 'happy', n FROM generate_series(1, 500) n;
"""
DESIRED = """
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE TABLE users (
    id int PRIMARY KEY, name text NOT NULL, feels mood DEFAULT 'sad', token uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX ON users (name);
CREATE VIEW named AS SELECT id, name FROM users;
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES users);
"""


@pytest.fixture
def sides(make_database: Make, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The connection strings behind env:LIVE and env:DESIRED."""
    both = make_database(LIVE), make_database(DESIRED)
    monkeypatch.setenv("LIVE", both[0])
    monkeypatch.setenv("DESIRED", both[1])
    return both


def psql(conninfo: str, script: str, folder: Path) -> None:
    """Run a script as its own first lines say."""
    tool = next(path for place in binaries.majors().values() if (path := place / "psql").exists())
    file = folder / "repair.sql"
    file.write_text(script, encoding="utf-8")
    command = [str(tool), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(file), "-d", conninfo]
    subprocess.run(command, check=True, env=cluster.environment(tool.parent), capture_output=True)


def test_the_script_makes_them_the_same_and_keeps_the_rows(sides: tuple[str, str], tmp_path: Path) -> None:
    answer = mendbook("diff", "env:LIVE", "env:DESIRED", "--allow-drops", "--format", "sql", cwd=tmp_path)
    assert answer.code == 3, answer.err
    psql(sides[0], answer.out, tmp_path)
    assert fingerprint(sides[0]) == fingerprint(sides[1])
    same = mendbook("diff", "env:LIVE", "env:DESIRED", cwd=tmp_path)
    assert (same.code, same.out) == (0, "No difference.\n")
    run(sides[0], "DO $$BEGIN ASSERT (SELECT count(DISTINCT token) FROM users) = 500; END$$")


def test_what_exists_only_live_is_left_and_listed(sides: tuple[str, str], tmp_path: Path) -> None:
    answer = mendbook("diff", "env:LIVE", "env:DESIRED", "--format", "sql", cwd=tmp_path)
    assert "-- table public.gone is left as it is: it exists only in the live database" in answer.out
    assert "-- column public.users.visits is left as it is" in answer.out
    assert "DROP TABLE" not in answer.out
    psql(sides[0], answer.out, tmp_path)
    again = mendbook("diff", "env:LIVE", "env:DESIRED", "--format", "json", cwd=tmp_path)
    assert again.code == 3
    assert again.json["steps"] == []
    assert {each["object"] for each in again.json["left"]} == {"table public.gone", "column public.users.visits"}


def test_the_answer_for_scripts_says_what_each_step_costs(sides: tuple[str, str], tmp_path: Path) -> None:
    answer = mendbook("diff", "env:LIVE", "env:DESIRED", "--format", "json", cwd=tmp_path).json
    by_title = {each["title"]: each for each in answer["steps"]}
    built = by_title["Create index public.users.users_name_idx"]
    assert built["locks"] == {'"public"."users"': "SHARE UPDATE EXCLUSIVE"}
    assert built["transaction"] == "none"
    assert built["sql"] == ["CREATE INDEX CONCURRENTLY users_name_idx ON public.users USING btree (name)"]
    assert not answer["same"]


def test_only_one_table_is_compared_where_that_is_asked(sides: tuple[str, str], tmp_path: Path) -> None:
    answer = mendbook("diff", "env:LIVE", "env:DESIRED", "--only", "public.gone", "--format", "json", cwd=tmp_path)
    assert [each["object"] for each in answer.json["differences"]] == ["table public.gone"]
    bound = mendbook("diff", "env:LIVE", "env:DESIRED", "--only", "public.named", cwd=tmp_path)
    assert bound.code == 4
    assert "view public.named still differs" in bound.err  # its columns change only with the table's
    unknown = mendbook("diff", "env:LIVE", "env:DESIRED", "--only", "public.user", cwd=tmp_path)
    assert unknown.code == 2
    assert "Did you mean public.users?" in unknown.err


def test_a_rename_is_offered_and_not_assumed(make_database: Make, tmp_path: Path) -> None:
    (tmp_path / "live.sql").write_text("CREATE TABLE t (id int, colour text)")
    (tmp_path / "desired.sql").write_text('CREATE TABLE t (id int, "the colour" text)')
    answer = mendbook("diff", "sql:live.sql", "sql:desired.sql", cwd=tmp_path)
    assert 'ALTER TABLE "public"."t" RENAME COLUMN "colour" TO "the colour"' in answer.out
    assert "column public.t.colour is left as it is" in answer.out


def test_what_cannot_be_reconciled_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "live.sql").write_text("CREATE TABLE t (id int)")
    (tmp_path / "desired.sql").write_text("CREATE TABLE t (id bigint); CREATE TYPE hollow")
    answer = mendbook("diff", "sql:live.sql", "sql:desired.sql", "--format", "sql", cwd=tmp_path)
    assert (answer.code, answer.out) == (4, "")
    assert "type public.hollow is missing" in answer.err
    assert_no_traceback(answer)


def test_what_holds_passwords_is_named_and_not_read(tmp_path: Path) -> None:
    server = "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;"
    (tmp_path / "live.sql").write_text(server)
    (tmp_path / "desired.sql").write_text(
        f"{server} CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (password 's3cret-of-far')"
    )
    answer = mendbook("diff", "sql:live.sql", "sql:desired.sql", cwd=tmp_path)
    assert answer.code == 4
    assert "user mapping postgres on server far is missing" in answer.err
    assert "s3cret-of-far" not in answer.out + answer.err


def test_names_cannot_leave_a_comment_of_the_script(make_database: Make, tmp_path: Path) -> None:
    (tmp_path / "live.sql").write_text("CREATE TABLE kept (id int)")
    (tmp_path / "desired.sql").write_text('CREATE TABLE kept (id int, "a\nDROP TABLE kept; --" int, "a%s{x}" int)')
    answer = mendbook("diff", "sql:live.sql", "sql:desired.sql", "--format", "sql", cwd=tmp_path)
    live = make_database("CREATE TABLE kept (id int)")
    psql(live, answer.out, tmp_path)
    assert [each.name for each in read(live).columns("public", "kept")] == ["id", "a\nDROP TABLE kept; --", "a%s{x}"]


@pytest.mark.parametrize("side", ["nothing", "sql:missing.sql", "env:NOT_SET", "shape:x"])
def test_a_side_that_cannot_be_read_is_named(side: str, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("CREATE TABLE t (id int)")
    answer = mendbook("diff", "sql:a.sql", side, cwd=tmp_path)
    assert answer.code == 2
    assert side.partition(":")[2] in answer.err
    assert_no_traceback(answer)


def test_an_incident_is_planned_from_what_the_application_states(make_database: Make, tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text(DESIRED)
    live = make_database(LIVE)
    env = {"SHOP": live}
    found = mendbook("diagnose", "--expect", "sql:app.sql", "--target", "env:SHOP", "--json", cwd=tmp_path, env=env)
    assert (found.code, found.json["runbook"]) == (3, "schema-drift"), found.err
    done = mendbook("repair", found.json["incident"], "--approve", found.json["digest"], cwd=tmp_path, env=env)
    assert done.code == 0, done.out
    (tmp_path / "elsewhere").mkdir()
    again = mendbook(
        "diagnose", "--expect", "sql:../app.sql", "--target", "env:SHOP", cwd=tmp_path / "elsewhere", env=env
    )
    assert again.code == 4  # nothing is left to do; what exists only live is no incident
    assert "public.gone" in " ".join(map(str, read(live).objects))


def test_an_expectation_gives_what_the_error_does_not_say(make_database: Make, tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text(DESIRED)
    (tmp_path / "error.txt").write_text(
        'ERROR:  column "token" does not exist at character 8\nSTATEMENT:  SELECT token FROM users WHERE id = $1\n'
    )
    env = {"SHOP": make_database(LIVE)}
    asked = ["diagnose", "--error", "error.txt", "--expect", "sql:app.sql", "--target", "env:SHOP", "--json"]
    found = mendbook(*asked, cwd=tmp_path, env=env)
    assert found.code == 3, found.err
    plan = (tmp_path / found.json["incident"] / "plan.json").read_text()
    assert "SELECT token FROM users WHERE id = $1" in plan
    assert "gen_random_uuid" in plan
