"""The checks of what is in use: connections and their limits, locks and their holders, and the right to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mendbook import render
from mendbook.schema import locks
from mendbook.schema.locks import Lock
from mendbook.symptom import absence
from mendbook.symptom.facts import Blocker, Holder, Server, Sessions
from mendbook.symptom.finding import Finding, confirmed, duration, listed, ruled_out, unknown, written
from mendbook.symptom.inquiry import Inquiry

_LONG_IDLE = 60.0  # seconds idle in transaction: from here on it is held, and not between two statements
_TIGHT = 0.9  # share of a limit from which it is the limit that is felt
_READS, _WRITES = frozenset({"SELECT", "VALUES", "TABLE"}), frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


def connections(inquiry: Inquiry) -> Iterator[Finding]:
    """Is the server full, or one of its limits, and who has the connections?"""
    server, sessions = (inquiry.facts.server or (None,))[0], inquiry.facts.sessions
    if server is None or sessions is None:
        yield unknown("server_full", "This role cannot read how many connections there are.")
        return
    found = [*_limits(inquiry, server, sessions), _idle(server, sessions)]
    yield from found
    pooler = "a pooler stands" if inquiry.identity.pooled else "no pooler shows"
    said = f"The server has room, and {pooler} between: the application's own pool is too small, leaks or was closed."
    if any(each.verdict == "confirmed" for each in found):
        yield unknown("pool_limit", f"The application's own pool cannot be seen from the server; {pooler} between.")
    elif inquiry.diagnosis.sqlstate is None:
        yield confirmed("pool_limit", said)
    else:
        yield confirmed("fixed_meanwhile", f"The server has room for connections now; {pooler} between.")


def _limits(inquiry: Inquiry, server: Server, sessions: Sequence[Sessions]) -> Iterator[Finding]:
    database, login = inquiry.identity.database, inquiry.settings.login if inquiry.settings else inquiry.identity.role
    shown = list(map(_alike, sessions))
    for cause, name, limit, own in (
        ("server_full", "the server", server.maximum - server.reserved, sessions),
        (
            "database_limit",
            f"the database {written(database)}",
            server.database_limit,
            [each for each in sessions if each.database == database],
        ),
        (
            "role_limit",
            f"the role {written(login)}",
            server.role_limit,
            [each for each in sessions if each.role == login],
        ),
    ):
        used = sum(each.count for each in own)
        if limit < 0:
            yield ruled_out(cause, f"{name} has no limit of its own.")
        elif used >= _TIGHT * limit:
            yield confirmed(cause, f"{used} of {limit} connections of {name} are in use.", shown)
        else:
            yield ruled_out(cause, f"{used} of {limit} connections of {name} are in use.", shown)


def _alike(each: Sessions) -> str:
    who = " ".join(
        filter(None, [written(each.role or "unknown role"), f"({each.application})" * bool(each.application)])
    )
    since = f", longest {duration(each.longest)}" if each.longest is not None and each.state != "active" else ""
    return f"{each.count} × {who} in {written(each.database)}: {each.state or 'not to be seen'}{since}"


def _idle(server: Server, sessions: Sequence[Sessions]) -> Finding:
    idle = [each for each in sessions if each.state.startswith("idle in transaction")]
    held = [each for each in idle if (each.longest or 0) >= _LONG_IDLE]
    if held:
        count = sum(each.count for each in held)
        owners = listed(written(each.role) for each in held)
        said = f"{render.words(count, 'session')} of {owners} kept a transaction open and did nothing in it."
        return confirmed("idle_in_transaction", said, map(_alike, held))
    if not server.sees_all and any(not each.state for each in sessions):
        return unknown("idle_in_transaction", "This role cannot see what other roles' sessions do (pg_read_all_stats).")
    return ruled_out(
        "idle_in_transaction", "No session has been idle in a transaction for a minute.", map(_alike, idle)
    )


def answers(inquiry: Inquiry) -> Iterator[Finding]:
    """Does the server answer, and since when?"""
    server = (inquiry.facts.server or (None,))[0]
    since = f", and has been up for {duration(server.up)}" if server else ""
    yield confirmed(
        "fixed_meanwhile", f"The server answers now{since}.", [f"{inquiry.identity.host}:{inquiry.identity.port}"]
    )


def waits(inquiry: Inquiry) -> Iterator[Finding]:
    """Who holds what others wait for?"""
    yield absence.other_database(inquiry)
    blockers, holders = inquiry.facts.blockers, inquiry.facts.holders
    if blockers is None or holders is None:
        yield unknown("blocked", "This role cannot read which locks are held.")
        return
    needed = _needed(inquiry)
    strong = [each for each in holders if locks.from_pg(each.mode).conflicts(needed)]
    if blockers:
        waiting = {pid for each in blockers for pid in each.blocks}
        yield confirmed("blocked", f"{_count(waiting)} for {_who(blockers)}.", map(_blocker, blockers))
    elif strong:
        names = listed(written(each.schema, each.table) for each in strong)
        yield confirmed(
            "blocked",
            f"{_who(strong)} holds {names} against what the statement needs ({needed}).",
            map(_holder, strong),
        )
    elif holders:
        yield unknown(
            "blocked",
            "Nobody waits now; these sessions may hold rows that the statement needs.",
            map(_holder, holders),
        )
    else:
        yield ruled_out("blocked", "Nobody waits for a lock now.")


def _count(pids: set[int]) -> str:
    return "1 session waits" if len(pids) == 1 else f"{len(pids)} sessions wait"


def _needed(inquiry: Inquiry) -> Lock:
    """The lock that the failing statement takes; without one, the strongest, which a schema change takes."""
    verb = inquiry.statement.verb if inquiry.statement else ""
    return Lock.ACCESS_SHARE if verb in _READS else Lock.ROW_EXCLUSIVE if verb in _WRITES else Lock.ACCESS_EXCLUSIVE


def _who(sessions: Iterable[Blocker | Holder]) -> str:
    return listed(f"pid {each.pid}" if each.pid else "a prepared transaction" for each in sessions)


def _session(each: Blocker | Holder) -> str:
    if not each.pid:
        return "prepared transaction"
    parts = [f"pid {each.pid}", written(each.role or "unknown role"), each.application, each.state]
    return ", ".join(filter(None, parts)) + (
        f", transaction open for {duration(each.open)}" if each.open is not None else ""
    )


def _blocker(each: Blocker) -> str:
    return f"{_session(each)}; blocks {listed(map(str, each.blocks))}"


def _holder(each: Holder) -> str:
    return f"{_session(each)}; {locks.from_pg(each.mode)} on {written(each.schema, each.table)}"


def writes(inquiry: Inquiry) -> Iterator[Finding]:
    """Is this a standby, or a server or role that a setting makes read-only?"""
    yield absence.other_database(inquiry)
    settings = inquiry.settings
    if inquiry.identity.standby:
        yield confirmed("standby", "This is a standby, which takes no writes; its primary does.")
    else:
        yield ruled_out("standby", "This is a primary.")
    if settings is None:
        yield unknown("read_only_setting", "This role cannot read its settings.")
        return
    made = [
        " in ".join(
            [f"role {written(settings.login)}"] * each.of_role
            + [f"database {written(inquiry.identity.database)}"] * each.of_database
        )
        for each in inquiry.facts.configured or ()
        if each.name == "default_transaction_read_only"
    ]
    if settings.read_only:
        shown = [f"set for {each or 'every role'}" for each in made[:1]] or [f"set by: {settings.read_only_source}"]
        yield confirmed(
            "read_only_setting", "default_transaction_read_only is on: every transaction is read-only.", shown
        )
    else:
        yield ruled_out("read_only_setting", "default_transaction_read_only is off.")
        if not inquiry.identity.standby:
            yield unknown(
                "fixed_meanwhile",
                "This server takes writes: it was a standby before, or the transaction itself was begun as read-only.",
            )


def plans(inquiry: Inquiry) -> Iterator[Finding]:
    """A plan of before leaves nothing on the server: the session that had it is to be asked."""
    yield absence.other_database(inquiry)
    if inquiry.passes is False:
        yield ruled_out("stale_plan", "The server refuses the statement in a new session too.", [inquiry.complaint])
        return
    taken = (
        "The server takes the statement in this new session"
        if inquiry.passes
        else "There is nothing on the server to find"
    )
    yield confirmed(
        "stale_plan",
        f"{taken}: sessions that prepared it before the change fail once, or until they prepare it again.",
    )
