"""The failing statement that the text does not have, from the log of a server and from pg_stat_statements."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import psycopg
import pytest
from mendbook import embedded, target
from mendbook.symptom import memory, referral, triage
from mendbook.symptom.memory import Memory
from mendbook.target import Target
from psycopg.conninfo import make_conninfo

SHOP = "CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL); CREATE TABLE items (id int)"
COLUMN = 'column "shipped" of relation "orders" does not exist'
SHIP = "UPDATE orders SET shipped = now() WHERE id = 7"


@pytest.fixture
def logging(request: pytest.FixtureRequest) -> Iterator[embedded.Server]:
    """A server that collects its log and counts its statements."""
    settings = {
        "logging_collector": "on",
        "log_destination": getattr(request, "param", "stderr"),
        "shared_preload_libraries": "pg_stat_statements",
    }
    server = embedded.start(settings=settings)
    yield server
    server.stop()


@pytest.fixture
def shop(logging: embedded.Server) -> Iterator[str]:
    with logging.scratch() as name:
        conninfo = logging.conninfo(name)
        with psycopg.connect(conninfo, autocommit=True) as conn:
            conn.execute(SHOP)
        yield conninfo


@pytest.fixture
def role(logging: embedded.Server) -> Iterator[str]:
    name = f"app_{os.urandom(4).hex()}"
    with psycopg.connect(logging.conninfo(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN")
        yield name
        conn.execute(f"DROP ROLE {name}")


def send(conninfo: str, *statements: str) -> None:
    """Send what may fail, and wait until the collector has written it."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for each in statements:
            try:
                conn.execute(each.encode())
            except psycopg.Error:
                continue
        mark = os.urandom(8).hex()
        with pytest.raises(psycopg.Error):
            conn.execute(f'TABLE "{mark}"'.encode())
        query = "SELECT pg_read_file(pg_current_logfile())"
        end = time.monotonic() + 20
        while mark not in (conn.execute(query).fetchone() or [""])[0] and time.monotonic() < end:
            time.sleep(0.02)


def search(conninfo: str, text: str) -> Memory:
    with Target(reference="test", _conninfo=conninfo).connect() as conn, target.read_only(conn):
        found = memory.search(conn, triage.diagnose(text))
        assert conn.execute("SELECT 1").fetchone() == (1,)  # the transaction goes on unharmed
    assert found is not None
    return found


@pytest.mark.parametrize("logging", ["stderr", "csvlog", "jsonlog"], indirect=True)
def test_the_log_has_the_statement(shop: str) -> None:
    send(shop, "SELECT nothing FROM orders", SHIP, "SELECT 1 FROM bins")
    found = search(shop, f"ERROR:  {COLUMN}")
    assert found.statement == SHIP
    assert found.sources[0].name.startswith("log/postgresql-")
    assert found.rows()[0] == ("found", found.sources[0].name, SHIP)


def test_it_gives_the_runbook_its_value_and_the_proof_its_table(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send(shop, "SELECT o.shipped FROM orders AS o WHERE id = 1")
    monkeypatch.setenv("SHOP", shop)
    found = referral.refer("ERROR:  column o.shipped does not exist", target="env:SHOP")
    assert (found.diagnosis.table, found.diagnosis.certainty["statement"]) == ("orders", "derived")
    assert found.proof is not None
    assert found.proof.cause == "missing"
    assert found.best is not None
    assert found.best.values["statement"] == "SELECT o.shipped FROM orders AS o WHERE id = 1"
    command = found.command("env:SHOP", "error.txt")
    assert "--error error.txt -p schema=public -p table=orders -p 'statement=SELECT o.shipped FROM" in command
    assert found.to_json()["memory"][0]["statements"] == ["SELECT o.shipped FROM orders AS o WHERE id = 1"]


def test_a_code_alone_leads_to_it_where_there_is_no_doubt(shop: str) -> None:
    send(shop, SHIP)
    assert search(shop, "{ code: '42703', routine: 'errorMissingColumn' }").statement == SHIP
    send(shop, "SELECT packed FROM orders")
    found = search(shop, "{ code: '42703', routine: 'errorMissingColumn' }")
    assert set(found.sources[0].statements) >= {SHIP, "SELECT packed FROM orders"}
    assert found.statement is None


def test_what_fails_no_more_or_for_another_table_is_left_out(shop: str) -> None:
    send(shop, "SELECT shipped FROM items", SHIP, "ALTER TABLE orders ADD shipped timestamptz")
    assert search(shop, f"ERROR:  {COLUMN}").sources[0].rows().__next__()[0] == "nothing"


def test_what_parse_cannot_judge_is_taken_from_the_log(shop: str) -> None:
    send(shop, "INSERT INTO orders (id) VALUES (1)")
    text = 'ERROR:  null value in column "total" of relation "orders" violates not-null constraint'
    found = search(shop, text)
    assert found.statement == "INSERT INTO orders (id) VALUES (1)"
    assert len(found.sources) == 1


def test_a_statement_of_another_database_is_left_out(shop: str, logging: embedded.Server) -> None:
    with logging.scratch() as name:
        send(
            logging.conninfo(name), f"{SHOP}; ALTER TABLE orders ADD extra int", "INSERT INTO orders (extra) VALUES (1)"
        )
    text = 'ERROR:  null value in column "id" of relation "orders" violates not-null constraint'
    assert search(shop, text).statement is None
    send(shop, "INSERT INTO orders (total) VALUES (1)")
    assert search(shop, text).statement == "INSERT INTO orders (total) VALUES (1)"


def test_a_statement_that_passed_once_is_known_from_its_count(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extension = "CREATE SCHEMA tools; CREATE EXTENSION pg_stat_statements SCHEMA tools"
    send(shop, extension, "SELECT total FROM orders WHERE id = 5", "ALTER TABLE orders RENAME total TO sum")
    found = search(shop, 'ERROR:  column "total" does not exist')
    assert found.sources[1].statements == ("SELECT total FROM orders WHERE id = $1",)
    assert found.statement == "SELECT total FROM orders WHERE id = $1"


def test_what_cannot_be_looked_into_says_why(role: str, shop: str) -> None:
    send(shop, "SELECT total FROM orders")
    ordinary = make_conninfo(shop, user=role)
    text = 'ERROR:  column "total" does not exist'
    log, used = search(ordinary, text).sources
    assert log.obstacle.startswith("this role may not read it (permission denied for function pg_")
    assert used.obstacle == "the extension is not in this database"
    send(shop, "CREATE EXTENSION pg_stat_statements", "ALTER TABLE orders RENAME total TO sum")
    hidden = search(ordinary, text).sources[1]
    assert "of other roles cannot be seen (pg_read_all_stats)" in hidden.obstacle
    assert [row[0] for row in hidden.rows()] == ["not known"]


def test_where_the_server_collects_no_log_it_says_so(database: str) -> None:
    log, used = search(database, f"ERROR:  {COLUMN}").sources
    assert log.obstacle == "the server keeps none that SQL can read"
    assert used.obstacle == "the extension is not in this database"


@pytest.mark.parametrize("text", [f"ERROR:  {COLUMN}\nSTATEMENT:  {SHIP}", "FATAL:  sorry, too many clients already"])
def test_where_there_is_nothing_to_look_for_it_does_not_look(text: str, database: str) -> None:
    with Target(reference="test", _conninfo=database).reading() as conn:
        assert memory.search(conn, triage.diagnose(text)) is None
