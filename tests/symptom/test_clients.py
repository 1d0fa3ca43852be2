"""Errors that real clients print in this run, from a real server in states of all kinds."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
import sqlalchemy
from mendbook import embedded
from mendbook.servers import binaries
from mendbook.symptom import triage
from mendbook.symptom.triage import Diagnosis

from tests.symptom.states import SETUP, STATES, State

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def lobby(server: embedded.Server) -> Iterator[str]:
    """The connection string of a database with the schema of the states."""
    with server.scratch() as dbname:
        conninfo = server.conninfo(dbname)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(SETUP)
            connection.execute("CREATE ROLE onlooker")
            yield conninfo
            connection.execute("DROP OWNED BY onlooker; DROP ROLE onlooker")


def with_psycopg(conninfo: str, sql: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in sql.split("; "):
            connection.execute(statement)


def with_asyncpg(conninfo: str, sql: str) -> None:
    async def run() -> None:
        known = psycopg.conninfo.conninfo_to_dict(conninfo)
        connection = await asyncpg.connect(
            host=known["host"], port=known.get("port"), user=known["user"], database=known["dbname"]
        )
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


def with_sqlalchemy(conninfo: str, sql: str) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        for statement in sql.split("; "):
            connection.exec_driver_sql(statement)


CLIENTS = {"psycopg3": with_psycopg, "asyncpg": with_asyncpg, "sqlalchemy": with_sqlalchemy}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize("client", CLIENTS)
def test_a_traceback_is_read(lobby: str, client: str, state: State) -> None:
    text = failure(CLIENTS[client], lobby, state.sql)
    diagnosis = triage.diagnose(text)
    assert_understood(diagnosis, state)
    assert diagnosis.framework == client
    assert diagnosis.location is not None
    assert "test_clients.py:" in diagnosis.location


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize("verbosity", ["default", "verbose", "terse", "sqlstate"])
def test_psql_is_read_in_each_verbosity(lobby: str, verbosity: str, state: State) -> None:
    diagnosis = triage.diagnose(psql(lobby, state.sql, verbosity))
    if verbosity == "sqlstate":
        assert diagnosis.sqlstate == state.sqlstate
        assert diagnosis.is_postgres
    else:
        assert_understood(diagnosis, state)
    assert diagnosis.framework == "psql"


def test_an_alias_is_resolved_where_the_statement_is_there(lobby: str) -> None:
    state = STATES["column under an alias"]
    diagnosis = triage.diagnose(failure(with_sqlalchemy, lobby, state.sql))
    assert (diagnosis.schema, diagnosis.table, diagnosis.statement) == ("lobby", "rooms", state.sql)
    assert diagnosis.certainty["table"] == "derived"


def test_an_alias_is_no_table_where_it_is_not(lobby: str) -> None:
    diagnosis = triage.diagnose(failure(with_asyncpg, lobby, STATES["column under an alias"].sql))
    assert (diagnosis.alias, diagnosis.table) == ("r", None)


def test_a_refused_connection_is_read(server: embedded.Server) -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(server.conninfo("no such database"))
    diagnosis = triage.diagnose(str(refused.value))
    assert (diagnosis.kind, diagnosis.database) == ("missing_database", "no such database")


def test_an_unknown_role_is_no_missing_object(server: embedded.Server) -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(server.conninfo(user="nobody here"))
    diagnosis = triage.diagnose(str(refused.value))
    assert (diagnosis.kind, diagnosis.sqlstate, diagnosis.role) == ("authentication", "28000", "nobody here")


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(host=str(tmp_path), dbname="lobby")
    assert triage.diagnose(str(refused.value)).kind == "connection_refused"


def test_a_terminated_session_is_read(lobby: str) -> None:
    def terminate(conninfo: str, _sql: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    assert triage.diagnose(failure(terminate, lobby, "")).kind == "connection_lost"


def test_a_lock_that_is_not_given_is_read(lobby: str) -> None:
    with psycopg.connect(lobby) as holder:
        holder.execute("LOCK TABLE members IN ACCESS EXCLUSIVE MODE")
        text = failure(with_psycopg, lobby, "SET lock_timeout = 20; SELECT 1 FROM members")
    assert triage.diagnose(text).kind == "lock_timeout"


def test_a_plan_that_is_stale_is_read(lobby: str) -> None:
    def prepare(conninfo: str, _sql: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE plans (id int)")
            connection.execute("PREPARE plan AS SELECT * FROM plans")
            connection.execute("ALTER TABLE plans ADD COLUMN seats int")
            connection.execute("EXECUTE plan")

    diagnosis = triage.diagnose(failure(prepare, lobby, ""))
    assert (diagnosis.kind, diagnosis.sqlstate) == ("stale_plan", "0A000")


def test_the_cause_comes_before_the_aborted_transaction(lobby: str) -> None:
    text = psql(lobby, "BEGIN; SELECT plan FROM members; SELECT 1; SELECT 2", "default", separately=True)
    diagnosis = triage.diagnose(text)
    assert (diagnosis.kind, diagnosis.table, diagnosis.column) == ("missing_column", "members", "plan")
    assert [other.kind for other in diagnosis.others] == ["aborted_transaction"]


@pytest.mark.skipif(not shutil.which("npm"), reason="no Node.js here; install it to try node-postgres and Sequelize")
def test_node_clients_are_read(lobby: str, tmp_path: Path) -> None:
    """One process provokes every state through both libraries and prints what each error looks like."""
    shutil.copytree(NODE, tmp_path, dirs_exist_ok=True)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    installed = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if installed.returncode:
        pytest.skip(f"npm ci did not get node-postgres and Sequelize; see what it says: {installed.stderr[-300:]}")
    statements = {name: state.sql for name, state in STATES.items()}
    known = psycopg.conninfo.conninfo_to_dict(lobby)
    printed = subprocess.run(
        ["node", "provoke.cjs"],
        cwd=tmp_path,
        input=json.dumps({"statements": statements, "host": known["host"], "port": known.get("port"), **known}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    texts = [json.loads(line) for line in printed.splitlines()]
    assert len(texts) == len(STATES) * 2 * 3
    for entry in texts:
        diagnosis, state = triage.diagnose(entry["text"]), STATES[entry["state"]]
        if entry["text"] != "SequelizeUniqueConstraintError: Validation error":  # any database may have said so
            assert diagnosis.kind == state.kind, entry["text"]
        if entry["style"] == "inspected":
            assert_understood(diagnosis, state, entry["text"])
            assert diagnosis.framework == entry["client"]
            assert (diagnosis.location or "").startswith("provoke.cjs:")


def failure(run: Callable[[str, str], None], conninfo: str, sql: str) -> str:
    """The traceback that a program would print."""
    try:
        run(conninfo, sql)
    except Exception:
        return traceback.format_exc()
    raise AssertionError(f"nothing failed: {sql}")


def psql(conninfo: str, sql: str, verbosity: str, *, separately: bool = False) -> str:
    """What psql prints on standard error."""
    program = next(folder for folder in binaries.majors().values() if (folder / "psql").exists()) / "psql"
    commands = [part for statement in sql.split("; ") for part in ("-c", statement)] if separately else ["-c", sql]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [program, "-X", "-d", conninfo, "-v", f"VERBOSITY={verbosity}", *commands],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    ).stderr


def assert_understood(diagnosis: Diagnosis, state: State, text: str = "") -> None:
    read = {"kind": diagnosis.kind, "sqlstate": diagnosis.sqlstate}
    read |= {field: getattr(diagnosis, field) for field in state.says}
    assert read == {"kind": state.kind, "sqlstate": state.sqlstate, **state.says}, text


def test_a_stale_plan_is_read_in_asyncpgs_own_words(database: str) -> None:
    known = psycopg.conninfo.conninfo_to_dict(database)

    async def run() -> None:
        pair = [
            await asyncpg.connect(
                host=known["host"], port=known.get("port"), user=known["user"], database=known["dbname"]
            )
            for _ in range(2)
        ]
        try:
            await pair[0].execute("CREATE TABLE parcels (id int)")
            await pair[0].fetch("SELECT * FROM parcels")
            await pair[1].execute("ALTER TABLE parcels ADD weight int")
            async with pair[0].transaction():
                await pair[0].fetch("SELECT * FROM parcels")
        finally:
            for each in pair:
                await each.close()

    with pytest.raises(asyncpg.InvalidCachedStatementError) as stale:
        asyncio.run(run())
    diagnosis = triage.diagnose("".join(traceback.format_exception(stale.value)))
    assert (diagnosis.kind, diagnosis.sqlstate, diagnosis.framework) == ("stale_plan", "0A000", "asyncpg")
