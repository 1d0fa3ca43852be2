"""The canary: what the application would notice while a plan is applied, and what then is not begun."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from mendbook import authoring, embedded
from mendbook.errors import Halted
from mendbook.incident import Incident
from mendbook.stages import blockers, canary, execution
from mendbook.stages.blockers import Blockers
from mendbook.stages.canary import Canary
from mendbook.stages.journal import Journal

from tests.helpers import fingerprint, read, repair, run

INDEX = {"sql": "CREATE INDEX orders_placed_at ON orders (placed_at)"}
TOKEN = {"sql": "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()"}
ROWS = "INSERT INTO orders (placed_at) SELECT now() FROM generate_series(1, 20000)"


class Shop:
    """A broken database, and a runbook whose option has several steps."""

    def __init__(self, conninfo: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conninfo, self.folder = conninfo, folder
        self.book = authoring.start("orders-shipped-at", folder / "runbooks")
        run(conninfo, (self.book / "broken.sql").read_text())
        monkeypatch.setenv("SHOP", conninfo)

    def diagnose(self, *steps: dict[str, str], sent: tuple[dict[str, Any], ...] = (), **options: Any) -> Incident:
        """Diagnose, with more steps and more statements of the application."""
        text = yaml.safe_load((self.book / "runbook.yaml").read_text())
        text["options"][0]["steps"] += steps
        text["statements"] += sent
        (self.book / "runbook.yaml").write_text(yaml.safe_dump(text))
        place = str(self.folder / "incidents")
        incident = Incident.begin(runbook=str(self.book), target="env:SHOP", incidents=place, **options)
        incident.diagnosed()
        return incident

    def indexes(self) -> set[str]:
        """The names of the indexes that are there."""
        return {key.part for key in read(self.conninfo).objects if key.kind == "index"}


@pytest.fixture
def shop(make_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(make_database(""), tmp_path, monkeypatch)


def record(found: Incident) -> dict[str, Any]:
    text: dict[str, Any] = json.loads((found.folder / "record.json").read_text())
    return text


def events(found: Incident) -> list[str]:
    return [line["event"] for line in found.journal.read()]


def at_first(monkeypatch: pytest.MonkeyPatch, event: str, then: Callable[[], object]) -> None:
    """Call *then* right after the journal's first line of that event."""
    real, seen = Journal._add, []

    def add(self: Journal, name: str, facts: dict[str, object]) -> None:
        real(self, name, facts)
        if name == event and not seen:
            seen.append(name)
            then()

    monkeypatch.setattr(Journal, "_add", add)


def test_a_repair_without_load_has_a_canary_without_new_errors(shop: Shop) -> None:
    found = shop.diagnose(INDEX)
    repair(found)
    said = record(found)["timeline"]
    update, table = said["statements"]
    assert (update[0], table[0]) == ("app/orders.py:12", 'a read of "public"."orders"')
    assert update[4].startswith("42703 ")  # by design, until the column is there
    assert table[4] == ""
    for _, calls, median, worst, _, new in said["statements"]:
        assert calls >= 2
        assert 0 < median <= worst
        assert new == ""
    assert sum(slot[1] for slot in said["slots"]) == update[1] + table[1]
    [column, index] = said["steps"]
    assert (column[1], index[1]) == ("ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE")
    for _, _, asked, granted, ended, done in said["steps"]:
        assert 0 < asked <= granted <= ended <= said["seconds"]
        assert done
    assert column[4] <= index[2]
    page = (found.folder / "fix.html").read_text()
    assert page.count("<svg") == 1
    for text in (page, (found.folder / "fix.md").read_text()):
        assert "While it was applied" in text
        assert "app/orders.py:12" in text


def test_a_pool_that_prepared_every_column_is_named_after_one_is_added(shop: Shop) -> None:
    everything = {"id": "list", "at": "app/list.py:3", "sql": "SELECT * FROM orders WHERE id = $1"}
    named = {"id": "named", "at": "app/named.py:9", "sql": "SELECT id FROM orders WHERE id = $1"}
    writes = {"id": "new", "at": "app/new.py:7", "sql": "INSERT INTO orders (placed_at) VALUES ($1) RETURNING *"}
    found = shop.diagnose(sent=(everything, named, writes))
    repair(found)
    stale = record(found)["timeline"]["stale"]
    assert [line.split(": ")[0] for line in stale] == [
        "app/list.py:3",
        "app/new.py:7",
        'a read of "public"."orders"',
    ]
    assert [line for line in stale if "0A000 cached plan must not change result type" not in line] == []
    said = (found.folder / "fix.md").read_text()
    assert "0A000 cached plan must not change result type" in said
    for driver in ("Psycopg 3", "asyncpg", "node-postgres", "pgx", "Rails", "JDBC"):
        assert re.search(rf"^\| [^|]*{driver}", said, re.MULTILINE), driver
    with psycopg.connect(shop.conninfo) as conn:
        assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_table_that_somebody_has_locked_stops_the_next_step(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rival takes the table between two steps; the canary is no longer answered."""
    monkeypatch.setattr(canary, "LOCK_TIMEOUT_MS", 300)
    found = shop.diagnose(INDEX)
    with psycopg.connect(shop.conninfo) as rival:
        with monkeypatch.context() as patch:
            at_first(patch, "done", lambda: rival.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(
                Halted, match=r"Create index .*orders_placed_at was not begun.*app/orders\.py:12 .*55P03"
            ):
                repair(found, wait=1)
        rival.rollback()
    assert "orders_placed_at" not in shop.indexes()
    assert ("orders", "shipped_at") in {(key.name, key.part) for key in read(shop.conninfo).objects}
    assert events(found)[-1] == "halted"
    assert record(found)["exit_code"] == 5
    assert any("55P03" in new for *_, new in record(found)["timeline"]["statements"])
    repair(found)
    assert "orders_placed_at" in shop.indexes()
    assert record(found)["verdict"] == "resumed, fixed and verified"


def test_a_lock_that_is_let_go_in_time_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "LOCK_TIMEOUT_MS", 300)
    found = shop.diagnose(INDEX)
    with psycopg.connect(shop.conninfo) as rival:

        def let_go(noun: object) -> None:
            if isinstance(noun, Blockers) and "the canary" in str(noun.names()):
                rival.rollback()

        monkeypatch.setattr("mendbook.show.live.place", lambda: let_go)
        at_first(monkeypatch, "done", lambda: rival.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))
        repair(found)
    assert any("the canary" in str(line.get("by")) for line in found.journal.read())
    assert record(found)["verdict"] == "fixed and verified"


def test_a_step_that_breaks_what_runs_stops_the_next_one(shop: Shop) -> None:
    """What only the target shows is in no rehearsal: the application still counts with what becomes a text."""
    run(shop.conninfo, "ALTER TABLE orders ADD COLUMN weight int")
    weighs = {"id": "weighs", "at": "app/report.py:3", "sql": "SELECT weight + 1 FROM orders", "on_clone": False}
    retype = {"sql": "ALTER TABLE orders ALTER COLUMN weight TYPE text"}
    found = shop.diagnose(retype, INDEX, sent=(weighs,), allow_dangerous=True)
    before = fingerprint(shop.conninfo)
    with pytest.raises(Halted, match=r"The canary broke, so Create index .*: app/report\.py:3 fails with 42883: "):
        repair(found)
    assert "orders_placed_at" not in shop.indexes()
    assert events(found)[-1] == "halted"
    back = Incident.resume(str(found.folder))
    back.approve(found.plan.digest)
    back.rollback()
    assert fingerprint(shop.conninfo) == before


def test_a_table_that_goes_by_plan_breaks_nothing(shop: Shop) -> None:
    run(shop.conninfo, "CREATE TABLE old_orders (id int)")
    found = shop.diagnose({"sql": "DROP TABLE old_orders"}, TOKEN, INDEX, allow_dangerous=True)
    repair(found)
    assert "old_orders" not in str(record(found)["timeline"]["statements"])


def test_a_canary_that_loses_its_connection_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shop.diagnose(INDEX)
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'mendbook canary'"
    at_first(monkeypatch, "done", lambda: run(shop.conninfo, end))
    repair(found)
    assert "lost" not in events(found)
    assert record(found)["verdict"] == "fixed and verified"


@pytest.mark.parametrize(
    ("sql", "runs"),
    [
        ("SELECT id FROM orders WHERE id = $1", True),
        ("SELECT id FROM orders FOR UPDATE", False),
        ("SELECT nextval('orders_id_seq')", False),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", False),
        ("SELECT id INTO copied FROM orders", False),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", False),
        ("UPDATE orders SET placed_at = now()", False),
        ("DELETE FROM orders", False),
    ],
)
def test_only_what_reads_is_run(sql: str, runs: bool, shop: Shop) -> None:
    run(shop.conninfo, "INSERT INTO orders DEFAULT VALUES")
    sent = canary.Statement(at="app", sql=sql)
    with psycopg.connect(shop.conninfo, autocommit=True) as conn:
        assert canary._only_reads(conn, sql) is runs
    found = shop.diagnose()
    bird = Canary([sent])
    with bird.singing(found.target, found.plan):
        bird.round()
        assert sent.runs is runs
        assert not bird.broken()
    with psycopg.connect(shop.conninfo) as conn:
        assert conn.execute("SELECT count(*) FROM orders").fetchone() == (1,)
        assert conn.execute("SELECT last_value FROM orders_id_seq").fetchone() == (1,)


# ---- backfills


def test_a_backfill_pauses_while_the_canary_is_slow(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run(shop.conninfo, "CREATE TABLE other (id int)")
    run(shop.conninfo, ROWS)
    monkeypatch.setattr(execution, "SLICE", "1us")
    found = shop.diagnose(TOKEN, sent=({"id": "other", "at": "app/other.py:1", "sql": "SELECT id FROM other"},))
    said: list[str] = []
    with psycopg.connect(shop.conninfo) as rival:

        def lock() -> None:
            rival.execute("LOCK TABLE other IN ACCESS EXCLUSIVE MODE")
            time.sleep(2 * canary.SLOW_S)

        def show(noun: object) -> None:
            said.append(repr(noun))
            if "the canary" in said[-1]:
                rival.rollback()

        monkeypatch.setattr("mendbook.show.live.place", lambda: show)
        at_first(monkeypatch, "filled", lock)
        repair(found)
    assert any("waits behind the canary" in each for each in said)
    assert events(found).count("filled") > 1
    assert record(found)["verdict"] == "fixed and verified"


def test_a_backfill_pauses_while_a_standby_falls_back_and_goes_on_where_it_stopped(
    behind: tuple[Shop, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, standby = behind
    run(shop.conninfo, ROWS)
    monkeypatch.setattr(execution, "SLICE", "1us")
    monkeypatch.setattr(blockers, "BEHIND", 100_000)
    found = shop.diagnose(TOKEN)
    run(standby, "SELECT pg_wal_replay_pause()")
    with pytest.raises(Halted, match=r"the rest of a backfill was not begun: standby .* is \d+ MB of WAL behind"):
        repair(found, wait=1)
    with psycopg.connect(shop.conninfo) as conn:
        [(filled,)] = conn.execute("SELECT count(token) FROM orders").fetchall()
    assert 0 < filled < 20000
    stopped = found.journal.read()
    assert any("standby" in str(line.get("by")) for line in stopped if line["event"] == "blocked")
    run(standby, "SELECT pg_wal_replay_resume()")
    repair(found)
    reached = [int(line["at"].split("/")[1]) for line in found.journal.read() if line["event"] == "filled"]
    assert reached == sorted(set(reached))
    with psycopg.connect(shop.conninfo) as conn:
        assert conn.execute("SELECT count(token) FROM orders").fetchone() == (20000,)


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shop, str]]:
    """A shop whose server has a standby."""
    primary = embedded.start(settings={"wal_receiver_status_interval": "1s"})
    standby = primary.standby()
    yield Shop(primary.conninfo(), tmp_path, monkeypatch), standby.conninfo()
    standby.stop()
    primary.stop()
