"""What goes wrong while a plan is applied: nothing is half done, and the message says what is."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from mendbook import authoring
from mendbook.errors import (
    ApplyFailed,
    LockNotObtained,
    NotApproved,
    NotThisIncident,
    NotVerified,
    Refused,
    WrongTarget,
)
from mendbook.incident import Incident
from mendbook.run import notebooks
from mendbook.stages import apply, turn
from mendbook.stages.blockers import Blockers

from tests.helpers import fingerprint, read, run
from tests.run.test_notebooks import wait_for

Make = Callable[[str], str]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A small runbook: orders has no shipped_at."""
    return authoring.start("orders-shipped-at", tmp_path / "runbooks")


def extend(book: Path, steps: list[dict[str, str]]) -> None:
    """Give the runbook's option more steps."""
    text = yaml.safe_load((book / "runbook.yaml").read_text())
    text["options"][0]["steps"] += steps
    (book / "runbook.yaml").write_text(yaml.safe_dump(text))


class Shop:
    """A broken database, and incidents on it."""

    def __init__(self, conninfo: str, book: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conninfo, self.book, self.folder = conninfo, book, folder
        monkeypatch.setenv("SHOP", conninfo)

    def diagnose(self, **options: object) -> Incident:
        incident = Incident.begin(runbook=str(self.book), target="env:SHOP", incidents=str(self.folder), **options)
        incident.diagnosed()
        return incident

    def approved(self, incident: Incident) -> Incident:
        again = Incident.resume(str(incident.folder))
        again.approve(incident.plan.digest)
        return again


@pytest.fixture
def shop(make_database: Make, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(make_database((book / "broken.sql").read_text()), book, tmp_path / "incidents", monkeypatch)


def test_a_later_step_that_fails_takes_the_earlier_ones_back(shop: Shop) -> None:
    """Rows that the clone does not have: two orders of the same moment, and a unique constraint that is to come."""
    run(shop.conninfo, "INSERT INTO orders (placed_at) VALUES ('2026-01-01'), ('2026-01-01')")
    extend(shop.book, [{"sql": "ALTER TABLE orders ADD CONSTRAINT one_at_a_time UNIQUE (placed_at)"}])
    before = fingerprint(shop.conninfo)
    incident = shop.approved(shop.diagnose())
    with pytest.raises(ApplyFailed, match=r"23505.*Everything that had been done was undone"):
        incident.apply(wait=5)
    assert fingerprint(shop.conninfo) == before
    events = [line["event"] for line in incident.journal.read()]
    assert events[0] == "started"
    assert events[-1] == "taken back"
    assert json.loads((incident.folder / "record.json").read_text())["exit_code"] == 5


def test_a_step_that_cannot_be_undone_is_named(shop: Shop) -> None:
    run(shop.conninfo, "CREATE TYPE state AS ENUM ('new')")
    run(shop.conninfo, "INSERT INTO orders (placed_at) VALUES ('2026-01-01'), ('2026-01-01')")
    enum = {"sql": "ALTER TYPE state ADD VALUE 'shipped'"}
    extend(shop.book, [enum, {"sql": "ALTER TABLE orders ADD CONSTRAINT one_at_a_time UNIQUE (placed_at)"}])
    incident = shop.approved(shop.diagnose())
    with pytest.raises(ApplyFailed, match=r"still there: Add the value 'shipped' to type public\.state"):
        incident.apply(wait=5)
    names = {(key.name, key.part) for key in read(shop.conninfo).objects}
    assert ("orders", "shipped_at") not in names
    assert ("orders", "one_at_a_time") not in names


def test_a_second_responder_is_refused(shop: Shop) -> None:
    incident = shop.approved(shop.diagnose())
    before = fingerprint(shop.conninfo)
    with psycopg.connect(shop.conninfo) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", [turn.KEY])
        with pytest.raises(Refused, match="Another responder"):
            incident.apply(wait=1)
    assert fingerprint(shop.conninfo) == before
    incident.apply(wait=1)


def test_a_lock_that_is_not_obtained_changes_nothing_and_names_who_holds_it(shop: Shop) -> None:
    incident = shop.approved(shop.diagnose())
    before = fingerprint(shop.conninfo)
    with psycopg.connect(shop.conninfo, application_name="nightly dump") as holder:
        holder.execute("LOCK TABLE orders IN ACCESS SHARE MODE")
        with pytest.raises(LockNotObtained, match=rf"pid {holder.info.backend_pid} .*nightly dump"):
            incident.apply(wait=0.5)
    assert fingerprint(shop.conninfo) == before


def test_an_interrupt_takes_back_what_was_done(shop: Shop) -> None:
    """The first step is committed; the second waits for an old snapshot when the signal comes."""
    extend(shop.book, [{"sql": "CREATE INDEX orders_placed_at ON orders (placed_at)"}])
    incident = shop.approved(shop.diagnose())
    before = fingerprint(shop.conninfo)
    with psycopg.connect(shop.conninfo) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")  # a snapshot that CREATE INDEX CONCURRENTLY has to wait for, and no lock
        first = threading.Thread(target=stop_at_the_second_step, args=(incident.journal.path,))
        first.start()
        with pytest.raises(ApplyFailed, match=r"It was interrupted\. Everything that had been done was undone"):
            incident.apply(wait=20)
        first.join()
    assert fingerprint(shop.conninfo) == before


def stop_at_the_second_step(journal: Path) -> None:
    """Interrupt this process while the second step waits."""
    wait_for(lambda: journal.read_text().count('"asked"') > 1)
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_journal_that_fails_in_the_middle_takes_back_what_was_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the first step has just been committed."""
    extend(shop.book, [{"sql": "CREATE INDEX orders_placed_at ON orders (placed_at)"}])
    incident = shop.approved(shop.diagnose())
    before = fingerprint(shop.conninfo)
    real = os.fsync

    def full(descriptor: int) -> None:
        if '"done"' in incident.journal.path.read_text():
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("mendbook.stages.journal.os.fsync", full)
    with pytest.raises(ApplyFailed, match=r"No space left.*Everything that had been done was undone"):
        incident.apply(wait=5)
    monkeypatch.undo()
    assert fingerprint(shop.conninfo) == before


def test_nothing_runs_without_the_digest(shop: Shop) -> None:
    found = shop.diagnose()
    incident = Incident.resume(str(found.folder))
    before = fingerprint(shop.conninfo)
    for wrong in ("", found.plan.digest[:8], found.plan.digest.upper() + "x", "True"):
        with pytest.raises(NotApproved):
            incident.approve(wrong)
    with pytest.raises(NotApproved):
        incident.apply()
    assert fingerprint(shop.conninfo) == before


@pytest.mark.parametrize("change", ["steps", "fingerprint", "target", "not JSON"])
def test_a_plan_that_was_changed_on_the_disk_is_refused(change: str, shop: Shop) -> None:
    found = shop.diagnose()
    path = found.folder / "plan.json"
    plan = json.loads(path.read_text())
    match change:
        case "steps":
            plan["steps"][0]["forward"] = ["DROP TABLE orders"]
        case "fingerprint":
            plan["fingerprint"] = "0" * 64
        case "target":
            plan["target"]["database"] = "other"
    path.write_text("{" if change == "not JSON" else json.dumps(plan))
    before = fingerprint(shop.conninfo)
    with pytest.raises(Refused, match=r"plan\.json (was changed|cannot be read)"):
        Incident.resume(str(found.folder)).approve(found.plan.digest)
    assert fingerprint(shop.conninfo) == before


def test_a_journal_that_cannot_be_written_stops_before_the_first_step(shop: Shop) -> None:
    found = shop.diagnose()
    (found.folder / "journal.jsonl").mkdir()
    incident = shop.approved(found)
    before = fingerprint(shop.conninfo)
    with pytest.raises(Refused, match="journal"):
        incident.apply()
    assert fingerprint(shop.conninfo) == before


def test_another_role_is_another_target(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shop.diagnose()
    run(shop.conninfo, "CREATE ROLE porter LOGIN SUPERUSER")
    try:
        monkeypatch.setenv("SHOP", psycopg.conninfo.make_conninfo(shop.conninfo, user="porter"))
        incident = shop.approved(found)
        with pytest.raises(WrongTarget, match="as 'porter'"):
            incident.apply()
    finally:
        run(shop.conninfo, "DROP ROLE porter")


def test_a_change_of_somebody_else_in_the_meantime_is_not_called_verified(shop: Shop) -> None:
    incident = shop.approved(shop.diagnose())
    incident.apply()
    run(shop.conninfo, "CREATE TABLE meanwhile ()")
    with pytest.raises(NotVerified, match=r"nothing else in the schema changed.*public\.meanwhile"):
        incident.verify()


def test_a_rollback_of_what_is_not_applied_is_refused(shop: Shop) -> None:
    incident = shop.approved(shop.diagnose())
    with pytest.raises(Refused, match="nothing to take back"):
        incident.rollback()


def test_repeated_repairs_and_rollbacks_of_one_plan(shop: Shop) -> None:
    found = shop.diagnose()
    before = fingerprint(shop.conninfo)
    for _ in range(3):
        fix = shop.approved(found)
        fix.still_there()
        fix.apply()
        fix.verify()
        fix.repaired()
        with pytest.raises(NotThisIncident):
            shop.approved(found).still_there()
        back = shop.approved(found)
        back.rollback()
        back.verify_rollback()
        back.rolled_back()
        assert fingerprint(shop.conninfo) == before


def test_a_read_only_database_is_seen_before_anything_starts(shop: Shop) -> None:
    found = shop.diagnose()
    with psycopg.connect(shop.conninfo, autocommit=True) as conn:
        name = psycopg.sql.Identifier(conn.info.dbname)
        conn.execute(psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    with pytest.raises(Refused, match="read-only by default"):
        shop.approved(found).apply()


def test_dangerous_steps_are_refused_until_they_are_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another type writes every row anew; the table counts as large here."""
    monkeypatch.setattr("mendbook.stages.plan.LARGE", 0)
    run(shop.conninfo, "INSERT INTO orders (placed_at) SELECT now() FROM generate_series(1, 10)")
    extend(shop.book, [{"sql": "ALTER TABLE orders ALTER COLUMN placed_at TYPE text"}])
    with pytest.raises(Refused, match="writes every row"):
        shop.diagnose()
    found = shop.diagnose(allow_dangerous=True)
    assert "writes every row" in found.plan.dangers[0]
    assert "Dangerous:" in (found.folder / "fix.md").read_text()
    assert "Dangerous:" in (found.folder / "fix.html").read_text()


# ---- what the role may not do


@pytest.fixture
def porter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A role that may connect and read, and nothing else."""
    run(shop.conninfo, "CREATE ROLE porter LOGIN; GRANT SELECT ON orders TO porter")
    monkeypatch.setenv("SHOP", psycopg.conninfo.make_conninfo(shop.conninfo, user="porter"))
    yield "porter"
    writing = psycopg.conninfo.make_conninfo(shop.conninfo, options="-c default_transaction_read_only=off")
    run(writing, "DROP OWNED BY porter; DROP ROLE porter")


def test_a_role_that_owns_nothing_is_refused_before_the_first_step(shop: Shop, porter: str) -> None:
    extend(shop.book, [{"sql": "CREATE TABLE parcels ()"}, {"sql": "CREATE SCHEMA depot"}])
    found = shop.approved(shop.diagnose())
    with pytest.raises(Refused, match=r"porter may not do this.*owner of public\.orders, which belongs to postgres"):
        found.apply()
    with pytest.raises(Refused, match="it needs CREATE on the schema public; it needs CREATE on the database"):
        found.apply()
    assert "asked" not in [line["event"] for line in found.journal.read()]


def test_a_role_that_only_may_become_the_owner_is_told_so(shop: Shop, porter: str) -> None:
    run(shop.conninfo, "CREATE ROLE keeper; ALTER TABLE orders OWNER TO keeper; ALTER ROLE porter NOINHERIT")
    run(shop.conninfo, "GRANT keeper TO porter")
    try:
        with pytest.raises(Refused, match=r"belongs to keeper \(it is a member of keeper, and does not inherit"):
            shop.approved(shop.diagnose()).apply()
    finally:
        run(shop.conninfo, "REASSIGN OWNED BY keeper TO postgres; DROP ROLE keeper")


def test_a_role_that_inherits_from_the_owner_applies(shop: Shop, porter: str) -> None:
    run(shop.conninfo, "CREATE ROLE keeper; ALTER TABLE orders OWNER TO keeper; GRANT keeper TO porter")
    try:
        shop.approved(shop.diagnose()).apply()
    finally:
        run(shop.conninfo, "REASSIGN OWNED BY keeper TO postgres; DROP ROLE keeper")


@pytest.mark.parametrize("what", ["DATABASE", "ROLE"])
def test_where_a_connection_is_made_read_only_is_said(what: str, shop: Shop, porter: str) -> None:
    found = shop.approved(shop.diagnose())
    with psycopg.connect(shop.conninfo, autocommit=True) as conn:
        name = psycopg.sql.Identifier(conn.info.dbname if what == "DATABASE" else porter)
        change = psycopg.sql.SQL("ALTER {} {} SET default_transaction_read_only = on")
        conn.execute(change.format(psycopg.sql.SQL(what), name))
    with pytest.raises(Refused, match=f"default_transaction_read_only is set for this {what.lower()}"):
        found.apply()


# ---- who is in the way


def test_who_is_in_the_way_is_said_before_the_first_step(shop: Shop, make_database: Make) -> None:
    extend(shop.book, [{"sql": "CREATE INDEX orders_placed_at ON orders (placed_at)"}])
    found = shop.diagnose()
    seen: list[Blockers] = []
    with psycopg.connect(shop.conninfo, application_name="pg_dump", autocommit=True) as dump:
        dump.execute("BEGIN")
        dump.execute("SELECT 'password=hunter2-and-more', * FROM orders")
        pid = dump.info.backend_pid
        with pytest.raises(LockNotObtained):
            apply.run(found.plan, found.target, found.journal, approved=found.plan.digest, wait=1, show=seen.append)
    [blocker] = seen[0].found
    assert (blocker.who, blocker.what, blocker.role) == (f"pid {pid}", "dump", "postgres")
    assert blocker.why == 'holds ACCESS SHARE on "public"."orders"'
    assert "FROM orders" in blocker.query
    assert "hunter2" not in blocker.query + found.journal.path.read_text()
    waiting = [each for each in seen[1:] if each.waiting and each]
    assert {each.found[0].who for each in waiting} == {blocker.who}
    events = [line["event"] for line in found.journal.read()]
    assert events.index("ahead") < events.index("blocked") < events.index("waited")


def test_what_holds_up_nobody_is_not_in_the_way(shop: Shop) -> None:
    found = shop.diagnose()
    seen: list[Blockers] = []
    with psycopg.connect(shop.conninfo) as other:
        other.execute("SELECT pg_sleep(0)")
        apply.run(found.plan, found.target, found.journal, approved=found.plan.digest, wait=1, show=seen.append)
    assert [each.found for each in seen] == [()]
    assert str(seen[0]) == "Nobody is in the way."


def test_the_page_shows_who_a_step_waits_for_while_it_waits(shop: Shop, tmp_path: Path) -> None:
    found = shop.diagnose()
    stages: list[str] = []
    with psycopg.connect(shop.conninfo, application_name="reporting") as holder:
        holder.execute("LOCK TABLE orders IN ACCESS SHARE MODE")
        pid = holder.info.backend_pid

        def progress(stage: str) -> None:
            stages.append(stage)
            if "waits behind" in stage:
                holder.rollback()

        given = {"folder": str(found.folder), "approve": found.plan.digest, "wait": 30.0}
        ended = notebooks.run(notebooks.path("repair"), tmp_path / "repair.ipynb", given, progress=progress)
    assert ended.completed, ended.message
    assert any(re.match(rf"Apply: waits behind pid {pid} \(idle in transaction.*reporting\)", each) for each in stages)
