"""Sessions that a plan ends: exactly those that were planned for; and what is done by hand, and only verified."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded
from mendbook.errors import NotThisIncident, NotVerified, Refused
from mendbook.incident import Incident
from psycopg.conninfo import make_conninfo

from tests.helpers import broken, run

Make = Callable[[str], str]
Connection = psycopg.Connection[tuple[object, ...]]


class Desk:
    """A database whose connections are in use, and the sessions that use them."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.sessions: list[Connection] = []

    def session(self, *statements: str, database: str = "", **settings: str) -> Connection:
        conn = psycopg.connect(database or self.database, autocommit=True, **settings)  # type: ignore[arg-type]
        self.sessions.append(conn)
        for each in statements:
            conn.execute(each.encode())
        return conn

    def begin(self, option: str = "end-sessions", *, share: float = 0.9, allow_dangerous: bool = False) -> Incident:
        return Incident.begin(
            runbook="connections",
            target="env:DESK",
            option=option,
            values={"seconds": 0, "share": share},
            incidents=str(self.folder),
            allow_dangerous=allow_dangerous,
        )


@pytest.fixture
def desk(make_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    database = make_database(broken("connections"))
    monkeypatch.setenv("DESK", database)
    made = Desk(database, tmp_path)
    yield made
    for each in made.sessions:
        each.close()


def planned(desk: Desk, *, share: float = 0.9, allow_dangerous: bool = False) -> Incident:
    incident = desk.begin(share=share, allow_dangerous=allow_dangerous)
    incident.diagnosed()
    incident.approve(incident.plan.digest)
    return incident


def is_alive(conn: Connection) -> bool:
    try:
        conn.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_the_plan_names_each_session_and_ends_it(desk: Desk) -> None:
    idle = desk.session("BEGIN", "SELECT 1", application_name="worker")
    incident = planned(desk)
    [step] = incident.plan.steps
    assert step.title.startswith(
        f"End the session {idle.info.backend_pid} (postgres, worker), idle in transaction since"
    )
    assert incident.plan.rows()[0][2:] == ("none", "nothing", "none needed")
    assert "idle in transaction (only the target shows it)" in incident.rehearsal.omitted
    incident.apply()
    assert incident.verify().verified
    assert not is_alive(idle)
    assert incident.repaired().next == ""


def test_changes_that_would_be_lost_are_dangerous(desk: Desk) -> None:
    writing = desk.session("BEGIN", "DELETE FROM tickets")
    with pytest.raises(Refused, match=r"loses the changes that its transaction has not committed"):
        desk.begin().diagnosed()
    assert is_alive(writing)
    planned(desk, allow_dangerous=True).apply()
    assert not is_alive(writing)


@pytest.mark.parametrize(
    "meanwhile", [("COMMIT",), ("DELETE FROM tickets",)], ids=["it is in another state", "it has something to lose"]
)
def test_a_session_that_went_on_is_left_alone(meanwhile: tuple[str], desk: Desk) -> None:
    session = desk.session("BEGIN", "SELECT 1")
    incident = planned(desk)
    session.execute(meanwhile[0].encode())
    incident.apply()
    assert is_alive(session)


def test_another_session_of_the_same_pid_is_left_alone(desk: Desk) -> None:
    session = desk.session("BEGIN", "SELECT 1")
    [statement] = planned(desk).plan.steps[0].forward
    began = session.execute("SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").fetchone()
    assert began
    assert str(began[0].isoformat()) in statement  # type: ignore[attr-defined]
    run(desk.database, statement.replace(began[0].isoformat(), "2001-01-01"))  # type: ignore[attr-defined]
    assert is_alive(session)


def test_sessions_that_work_or_are_in_another_database_are_not_planned(desk: Desk, make_database: Make) -> None:
    mine = desk.session("BEGIN", "SELECT 1")
    desk.session("BEGIN", database=make_database(""))
    busy = desk.session()
    busy.pgconn.send_query(b"SELECT pg_sleep(60)")
    assert [step.title.split()[3] for step in planned(desk).plan.steps] == [str(mine.info.backend_pid)]
    busy.cancel_safe()


def test_where_no_session_can_be_ended_nothing_is_planned(desk: Desk) -> None:
    for _ in range(4):
        desk.session().pgconn.send_query(b"SELECT pg_sleep(60)")
    with pytest.raises(Refused, match="No idle session that this role can see fits the option end-sessions"):
        desk.begin().diagnosed()
    for each in desk.sessions:
        each.cancel_safe()


@pytest.fixture
def role(server: embedded.Server) -> Iterator[str]:
    name = f"app_{os.urandom(4).hex()}"
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN")
        yield name
        conn.execute(f"DROP ROLE {name}")


def test_what_an_ordinary_role_may_not_end_is_refused(role: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.session("SELECT 1")
    desk.session("SELECT 1")
    monkeypatch.setenv("DESK", make_conninfo(desk.database, user=role))
    with pytest.raises(Refused, match="No idle session that this role can see"):
        desk.begin(share=0.5).diagnosed()
    run(desk.database, f"GRANT pg_read_all_stats TO {role}")
    with pytest.raises(Refused, match=r"This role may not end the session \d+ \(postgres\)"):
        desk.begin(share=0.5).diagnosed()


def test_an_ordinary_role_sees_the_limit_and_ends_its_own(
    role: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = desk.session("SELECT 1", database=make_conninfo(desk.database, user=role))
    theirs = desk.session("SELECT 1")
    monkeypatch.setenv("DESK", make_conninfo(desk.database, user=role))
    incident = planned(desk, share=0.5)
    said = incident.reproduction.failing[0].message
    assert said.startswith(f"2 of 4 connections of the database {theirs.info.dbname} are in use")
    assert f"1 × postgres (no name) in {theirs.info.dbname}, state not to be seen, for up to a time not to be" in said
    incident.apply()
    assert [is_alive(mine), is_alive(theirs)] == [False, True]


# ---- by hand


def test_what_is_done_by_hand_is_verified_and_nothing_else(desk: Desk) -> None:
    leaking = desk.session("BEGIN", "SELECT 1")
    incident = desk.begin("restart-application")
    ended = incident.diagnosed()
    assert ended.exit_code == 3
    assert ended.next.startswith("# once you have done it")
    assert incident.plan.steps == ()
    assert incident.plan.rows()[0] == ("1", incident.option.by_hand[0], "", "", "by hand")
    assert incident.option.by_hand[0] in (incident.folder / "fix.html").read_text()
    assert "nothing is to be rehearsed" in str(incident.rehearsal)

    repair = Incident.resume(str(incident.folder))
    repair.approve(incident.plan.digest)
    assert repair.still_there().failing
    assert repair.apply().applied == ()
    with pytest.raises(NotVerified, match="not mended yet, and Mendbook has changed nothing"):
        repair.verify()

    leaking.close()
    again = Incident.resume(str(incident.folder))
    assert again.still_there().passes
    again.approve(incident.plan.digest)
    again.apply()
    assert again.verify().verified
    assert again.repaired().verdict == "fixed and verified"
    assert "Nothing has to be taken back." in (incident.folder / "fix.md").read_text()

    back = Incident.resume(str(incident.folder))
    back.approve(incident.plan.digest)
    assert back.rollback().applied == ()
    assert back.verify_rollback().verified
    assert back.rolled_back().verdict.startswith("nothing had to be taken back")


def test_a_server_with_room_does_not_have_the_incident(desk: Desk) -> None:
    desk.session("SELECT 1")
    with pytest.raises(NotThisIncident, match="No statement of connections fails"):
        desk.begin("restart-application").diagnosed()
