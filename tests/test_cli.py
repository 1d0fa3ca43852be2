"""The command line on a server that the suite did not start: the whole story, and everything that is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from mendbook import embedded

from tests.helpers import BOOK, Answer, assert_no_traceback, broken, fingerprint, mendbook, run

PASSWORD = "pl4nted-s3cret"
TARGET = "env:DATABASE_URL"


@pytest.fixture(scope="module")
def foreign() -> Iterator[embedded.Server]:
    """A server on TCP with a password: for the command line it is like any other."""
    server = embedded.start(tcp=True, password=PASSWORD)
    yield server
    server.stop()


@pytest.fixture
def shop(foreign: embedded.Server) -> Iterator[tuple[str, dict[str, str]]]:
    """A broken database whose name has a blank; its connection string, and the environment that names it."""
    with foreign.scratch() as name:
        database = f"{name} of Łódź"
        with psycopg.connect(foreign.conninfo(), autocommit=True) as conn:
            conn.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        conninfo = foreign.conninfo(database)
        run(conninfo, broken())
        place = f"127.0.0.1:{foreign.port}/{quote(database)}"
        url = f"postgres://postgres:{PASSWORD}@{place}?schema=public&connection_limit=5"  # as Prisma writes it
        yield conninfo, {"DATABASE_URL": url}
        foreign.drop(database)


def diagnose(cwd: Path, env: dict[str, str], *more: str) -> Answer:
    return mendbook("diagnose", BOOK, "--target", TARGET, "--json", *more, cwd=cwd, env=env)


def test_from_diagnosis_to_rollback(shop: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    conninfo, env = shop
    before = fingerprint(conninfo)

    found = diagnose(tmp_path, env)
    assert found.code == 3, found
    assert found.json["exit_code"] == 3
    assert found.json["target"] == TARGET
    assert fingerprint(conninfo) == before
    folder, digest = found.json["incident"], found.json["digest"]
    assert found.json["next"] == f"mendbook repair {folder} --approve {digest}"

    for wrong in ([], ["--approve", "0" * 16]):
        assert mendbook("repair", folder, *wrong, cwd=tmp_path, env=env).code == 4
        assert fingerprint(conninfo) == before

    fixed = mendbook("repair", folder, "--approve", digest, cwd=tmp_path, env=env)
    assert fixed.code == 0, fixed
    assert "fixed and verified" in fixed.out
    after = fingerprint(conninfo)
    assert after != before

    again = mendbook("repair", folder, "--approve", digest, cwd=tmp_path, env=env)
    assert again.code == 4
    assert "does not have this incident" in again.out
    assert diagnose(tmp_path, env).code == 4
    assert fingerprint(conninfo) == after
    # What was refused later does not change what the documents say.
    assert json.loads((tmp_path / folder / "record.json").read_text())["verdict"] == "fixed and verified"

    undone = mendbook("rollback", folder, "--approve", digest, cwd=tmp_path, env=env)
    assert undone.code == 0, undone
    assert fingerprint(conninfo) == before
    assert mendbook("rollback", folder, "--approve", digest, cwd=tmp_path, env=env).code == 4

    for file in sorted((tmp_path / folder).rglob("*")):
        if file.is_file():
            assert PASSWORD not in file.read_text(encoding="utf-8"), file
    names = {path.name for path in (tmp_path / folder).iterdir()}
    assert names >= {"diagnose.ipynb", "repair.ipynb", "rollback.ipynb", "fix.md", "fix.html", "journal.jsonl"}


def test_a_schema_that_moved_and_another_database_are_refused(
    shop: tuple[str, dict[str, str]], foreign: embedded.Server, tmp_path: Path
) -> None:
    conninfo, env = shop
    found = diagnose(tmp_path, env).json
    repair = ("repair", found["incident"], "--approve", found["digest"])

    with foreign.scratch() as other:
        run(foreign.conninfo(other), broken())
        elsewhere = {"DATABASE_URL": f"postgres://postgres:{PASSWORD}@127.0.0.1:{foreign.port}/{other}"}
        wrong = mendbook(*repair, cwd=tmp_path, env=elsewhere)
        assert wrong.code == 4
        assert "not the one that the plan was made for" in wrong.out
        assert "updated_at" not in str(fingerprint_columns(foreign.conninfo(other)))

    named = mendbook(*repair, "--expected-database", "orders", cwd=tmp_path, env=env)
    assert named.code == 4
    assert "'orders' was expected" in named.out

    run(conninfo, "ALTER TABLE users ADD COLUMN nickname text")
    moved = fingerprint(conninfo)
    refused = mendbook(*repair, cwd=tmp_path, env=env)
    assert refused.code == 4
    assert "has changed since the plan was made (public.users)" in refused.out
    assert fingerprint(conninfo) == moved


def fingerprint_columns(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'socket_sessions'")
        return [row[0] for row in rows]


def test_a_standby_is_refused(tmp_path: Path) -> None:
    primary = embedded.start()
    try:
        primary.create("shop")
        run(primary.conninfo("shop"), broken())
        standby = primary.standby()
        try:
            env = {"STANDBY": standby.conninfo("shop"), "PRIMARY": primary.conninfo("shop")}
            found = mendbook("diagnose", BOOK, "--target", "env:STANDBY", "--json", cwd=tmp_path, env=env)
            assert found.code == 4, found
            assert "is a standby" in found.json["verdict"]
        finally:
            standby.stop()
    finally:
        primary.stop()


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        pytest.param(["no-such-book", "--target", TARGET], {}, "There is no runbook 'no-such-book'", id="book"),
        pytest.param([BOOK, "--target", "DATABASE_URL"], {}, "is not a target", id="no reference"),
        pytest.param([BOOK, "--target", "env:NOT_SET"], {}, "'NOT_SET' is not set", id="variable"),
        pytest.param([BOOK, "--target", "env:URL"], {"URL": "postgres://[::1"}, "cannot read the value", id="url"),
        pytest.param([BOOK, "--target", "env:URL"], {"URL": "host=x nonsense"}, "cannot read the value", id="dsn"),
        pytest.param([BOOK, "--target", f"postgres://u:{PASSWORD}@localhost/d"], {}, "holds a password", id="secret"),
        pytest.param([BOOK, "--target", f"postgres://localhost/d?password={PASSWORD}"], {}, "holds a", id="query"),
        pytest.param([BOOK, "--target", TARGET, "-p", "tabel=x"], {}, "Did you mean table?", id="parameter"),
        pytest.param([BOOK, "--target", TARGET, "-p", "table"], {}, "-p wants NAME=VALUE", id="no value"),
        pytest.param([BOOK, "--target", TARGET, "-p", "table=" + "x" * 64], {}, "1 to 63 bytes", id="long name"),
        pytest.param([BOOK, "--target", TARGET, "--option", "add-colum"], {}, "Did you mean add-column?", id="option"),
    ],
)
def test_wrong_usage_starts_nothing(arguments: list[str], env: dict[str, str], said: str, tmp_path: Path) -> None:
    answer = mendbook("diagnose", *arguments, cwd=tmp_path, env={"DATABASE_URL": "postgres://localhost/d", **env})
    assert answer.code == 2, answer
    assert said in answer.err
    assert answer.out == ""
    assert PASSWORD not in answer.err
    assert_no_traceback(answer)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"password": "another"}, "password authentication failed", id="wrong password"),
        pytest.param({"port": 1}, "cannot be opened", id="nobody listens"),
        pytest.param({"dbname": "no such"}, "does not exist", id="no such database"),
    ],
)
def test_a_target_that_cannot_be_opened(
    shop: tuple[str, dict[str, str]], change: dict[str, object], said: str, tmp_path: Path
) -> None:
    bad = psycopg.conninfo.make_conninfo(shop[0], **change)
    answer = mendbook("diagnose", BOOK, "--target", "env:BAD", cwd=tmp_path, env={"BAD": bad})
    assert answer.code == 2, answer
    assert said in answer.out
    assert_no_traceback(answer)
    for file in tmp_path.rglob("*.*"):
        if file.is_file():
            assert PASSWORD not in file.read_text(encoding="utf-8")
            assert "another" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["PGPASSWORD", "password file", "service"])
def test_no_secret_is_written_wherever_it_came_from(way: str, shop: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    said = psycopg.conninfo.conninfo_to_dict(shop[0])
    url = f"postgres://postgres@127.0.0.1:{said['port']}/{quote(str(said['dbname']))}"
    env = {"PLAIN": url, "HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    target = "env:PLAIN"
    match way:
        case "PGPASSWORD":
            env["PGPASSWORD"] = PASSWORD
        case "password file":
            (tmp_path / "home" / ".pgpass").write_text(f"*:*:*:*:{PASSWORD}\n")
            (tmp_path / "home" / ".pgpass").chmod(0o600)
        case "service":
            lines = [f"{name}={value}" for name, value in said.items()]
            (tmp_path / "home" / ".pg_service.conf").write_text("\n".join(["[shop]", *lines]))
            target = "service:shop"
    found = mendbook("diagnose", BOOK, "--target", target, "--json", cwd=tmp_path, env=env)
    assert found.code == 3, found
    fixed = mendbook("repair", found.json["incident"], "--approve", found.json["digest"], cwd=tmp_path, env=env)
    assert fixed.code == 0, fixed
    for file in (tmp_path / "incidents").rglob("*"):
        assert file.is_dir() or PASSWORD not in file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize(
    "name", ['"; DROP TABLE users; --', "o'clock", "line\nbreak", "naïve 表", "<script>alert(1)</script>", "${table}"]
)
def test_a_hostile_name_is_only_a_name(name: str, shop: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    conninfo, env = shop
    before = fingerprint(conninfo)
    answer = diagnose(tmp_path, env, "-p", f"table={name}")
    assert answer.code == 4, answer
    assert "42P01" in answer.json["verdict"]
    assert fingerprint(conninfo) == before


def test_a_role_that_may_not_change_the_schema_changes_nothing(
    shop: tuple[str, dict[str, str]], foreign: embedded.Server, tmp_path: Path
) -> None:
    conninfo, _ = shop
    run(conninfo, f"DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
    try:
        env = {"DATABASE_URL": psycopg.conninfo.make_conninfo(conninfo, user="clerk")}
        before = fingerprint(conninfo)
        found = diagnose(tmp_path, env).json
        refused = mendbook("repair", found["incident"], "--approve", found["digest"], cwd=tmp_path, env=env)
        assert refused.code == 4, refused
        assert "must be owner of" in refused.out
        assert fingerprint(conninfo) == before
    finally:
        run(conninfo, "DROP OWNED BY clerk; DROP ROLE clerk")


def test_a_lock_that_is_held_is_waited_for_and_then_left(shop: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    conninfo, env = shop
    found = diagnose(tmp_path, env).json
    repair = ("repair", found["incident"], "--approve", found["digest"], "--wait", "1")
    before = fingerprint(conninfo)
    with psycopg.connect(conninfo, application_name="nightly report") as holder:
        holder.execute("SELECT count(*) FROM socket_sessions")
        busy = mendbook(*repair, cwd=tmp_path, env=env)
        assert busy.code == 7, busy
        assert f"pid {holder.info.backend_pid} (idle in transaction" in busy.out
        assert "nightly report" in busy.out
        assert fingerprint(conninfo) == before
    assert mendbook(*repair, cwd=tmp_path, env=env).code == 0


def test_the_help_names_every_exit_code(tmp_path: Path) -> None:
    answer = mendbook("--help", cwd=tmp_path)
    assert answer.code == 0
    assert all(f"\n  {code}  " in answer.out for code in range(8))


def test_no_colour_in_a_pipe(tmp_path: Path) -> None:
    assert "\x1b" not in mendbook("runbooks", "list", cwd=tmp_path, env={"TERM": "xterm-256color"}).out
