"""Servers that stop, come back, fail over, and disks that are full: a run goes on, or says what to do."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from mendbook import authoring, embedded
from mendbook.errors import ApplyFailed, NotVerified, Refused, SchemaMoved, UnreadableTarget
from mendbook.incident import Incident
from mendbook.stages.journal import Journal

from tests.helpers import fingerprint, repair, run


class Place:
    """A server behind a name that stays, as a proxy or DNS gives it one."""

    def __init__(self, folder: Path) -> None:
        self.data, self.link = folder / "data", folder / "socket"
        self.server = embedded.start(self.data)
        self.point_to(self.server)

    def point_to(self, server: embedded.Server) -> None:
        """Let the name lead to *server*."""
        draft = self.link.with_suffix(".draft")
        draft.symlink_to(server.socket_dir)
        draft.replace(self.link)

    def conninfo(self, database: str = "postgres") -> str:
        """The connection string of a database behind the name."""
        return self.server.conninfo(database, host=str(self.link))

    def stop(self) -> None:
        """Stop the server: nothing answers there any more."""
        self.server.stop()
        self.link.unlink()

    def start(self) -> None:
        """Start it again, with its data."""
        self.server = embedded.start(self.data)
        self.point_to(self.server)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.server.stop()


@pytest.fixture
def found(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """A diagnosed incident, with a column and an index to come."""
    book = authoring.start("orders-shipped-at", tmp_path / "runbooks")
    text = yaml.safe_load((book / "runbook.yaml").read_text())
    text["options"][0]["steps"] += [{"sql": "CREATE INDEX orders_placed_at ON orders (placed_at)"}]
    (book / "runbook.yaml").write_text(yaml.safe_dump(text))
    run(place.conninfo(), (book / "broken.sql").read_text())
    monkeypatch.setenv("SHOP", place.conninfo())
    incident = Incident.begin(runbook=str(book), target="env:SHOP", incidents=str(tmp_path / "incidents"))
    incident.diagnosed()
    return incident


def strike(monkeypatch: pytest.MonkeyPatch, event: str, fault: Callable[[], object]) -> None:
    """Let *fault* happen right before the first line of that event is written."""
    real, struck = Journal._add, threading.Event()

    def add(self: Journal, name: str, facts: dict[str, object]) -> None:
        if name == event and not struck.is_set():
            struck.set()
            fault()
        real(self, name, facts)

    monkeypatch.setattr(Journal, "_add", add)


def verdict(found: Incident) -> str:
    said: str = json.loads((found.folder / "record.json").read_text())["verdict"]
    return said


def test_a_server_that_is_away_at_first_is_waited_for(place: Place, found: Incident) -> None:
    place.stop()
    with pytest.raises(UnreadableTarget):
        repair(found, wait=0.1)
    back = threading.Timer(1, place.start)
    back.start()
    repair(found)
    back.join()
    assert verdict(found) == "fixed and verified"


@pytest.mark.parametrize("event", ["connected", "asked", "done", "finished"])
def test_a_server_that_stops_and_comes_back_at_a_step_is_gone_on_with(
    event: str, place: Place, found: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[threading.Timer] = []

    def fault() -> None:
        place.stop()
        timers.append(threading.Timer(1, place.start))
        timers[0].start()

    strike(monkeypatch, event, fault)
    try:
        repair(found)
    except UnreadableTarget:  # after the last step, a run ends where it verifies
        assert event == "finished"
        timers[0].join()
        repair(found)
    timers[0].join()
    assert verdict(found).endswith("fixed and verified")


def test_a_server_that_does_not_come_back_leaves_whole_steps_and_the_next_run_goes_on(
    place: Place, found: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        strike(patched, "done", place.stop)
        with pytest.raises(ApplyFailed, match=r"env:SHOP was lost.*Done until then.*shipped_at.*run this again"):
            repair(found, wait=1)
    place.start()
    repair(found)
    assert verdict(found) == "resumed, fixed and verified"


def test_a_failover_is_waited_for_and_gone_on_with(
    place: Place, found: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads to a standby, which is promoted a moment later."""
    standby = place.server.standby()
    timers: list[threading.Timer] = []

    def promote() -> None:
        with psycopg.connect(standby.conninfo(), autocommit=True) as conn:
            conn.execute("SELECT pg_promote()")

    def fault() -> None:
        with psycopg.connect(place.conninfo(), autocommit=True) as conn, psycopg.connect(standby.conninfo()) as other:
            end = conn.execute("SELECT pg_current_wal_lsn()").fetchone()
            while other.execute("SELECT pg_last_wal_replay_lsn() < %s", end).fetchone() == (True,):
                other.rollback()
        place.server.stop()
        place.point_to(standby)
        timers.append(threading.Timer(1, promote))
        timers[0].start()

    strike(monkeypatch, "done", fault)
    repair(found)
    timers[0].join()
    assert verdict(found) == "fixed and verified"
    with psycopg.connect(standby.conninfo()) as conn:
        assert conn.execute("SELECT shipped_at FROM orders").rowcount == 0
    standby.stop()


def test_a_rival_change_after_a_run_was_struck_is_refused(
    place: Place, found: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the very table that the plan changes."""
    with monkeypatch.context() as patched:
        strike(patched, "done", place.stop)
        with pytest.raises(ApplyFailed):
            repair(found, wait=1)
    place.start()
    run(place.conninfo(), "ALTER TABLE orders ADD COLUMN meanwhile int")
    before = fingerprint(place.conninfo())
    with pytest.raises(SchemaMoved, match=r"changed since step 1 was done \(public\.orders\)"):
        repair(found)
    assert fingerprint(place.conninfo()) == before
    run(place.conninfo(), "ALTER TABLE orders DROP COLUMN meanwhile")
    repair(found)


def test_a_rival_change_in_the_middle_is_not_called_verified(
    place: Place, found: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the very table that the plan changes."""
    rival = "ALTER TABLE orders ADD COLUMN meanwhile int"
    strike(monkeypatch, "done", lambda: run(place.conninfo(), rival))
    with pytest.raises(NotVerified, match=r"nothing else in the schema changed.*public\.orders"):
        repair(found)


def test_a_disk_that_is_full_stops_before_the_first_step_and_a_torn_line_hinders_nobody(
    place: Place, found: Incident
) -> None:
    """A limit on the size of files, which is a real error of a real write, in the middle of a line."""
    before = fingerprint(place.conninfo())
    folder = str(found.folder)
    child = os.fork()
    if child == 0:
        incident = Incident.resume(folder)
        incident.approve(found.plan.digest)
        incident.journal.path.write_text('{"event": "noted"}\n')
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
        try:
            incident.apply(wait=1)
        except Refused as error:
            os._exit(0 if "journal" in str(error) else 3)
        os._exit(4)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert fingerprint(place.conninfo()) == before
    assert not found.journal.path.read_bytes().endswith(b"\n")
    repair(found)
    assert verdict(found) == "fixed and verified"
