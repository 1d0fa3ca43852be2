"""A target that cannot be opened: what to do about the very reason that the client gave."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mendbook.errors import UnreadableTarget
from mendbook.frameworks import Kind
from mendbook.symptom import triage
from mendbook.target import Identity, Target, open_target

_NEXT: Mapping[Kind, str] = {
    "pool_exhausted": (
        "Every connection that its role may have is in use. Name a target whose role has connections reserved for it "
        "(a superuser, or from PostgreSQL 16 a member of pg_use_reserved_connections), or restart one instance of the "
        "application; then the runbook connections says who holds them."
    ),
    "connection_refused": (
        "Nothing takes connections there: the server is down or still starting, it listens elsewhere, or a firewall "
        "or a pooler stands between. The server's own log says which."
    ),
    "connection_lost": (
        "Something took the connection and dropped it: the server is shutting down, or a pooler or TLS stands between. "
        "The server's own log says which."
    ),
    "authentication": (
        "The server is there, and does not let this role in: check its name, its password (PGPASSWORD, the password "
        "file) and the server's pg_hba.conf."
    ),
    "missing_database": "The server is there, and has no database of that name: psql -l lists those that it has.",
}


# A server that starts, restarts, wakes up or changes over takes connections again in a moment.
_PAUSE_S = 0.5
_PASSING: tuple[Kind, ...] = ("connection_refused", "connection_lost", "pool_exhausted")


def passes(error: UnreadableTarget) -> bool:
    """Whether the same call may succeed a moment later."""
    return triage.diagnose(str(error)).kind in _PASSING


def opened(reference: str, *, expected_database: str = "", wait: float = 0.0) -> tuple[Target, Identity]:
    """Do what `target.open_target` does, again for *wait* seconds while that may help, as with a database that sleeps.

    Where the client says why it cannot, what follows from that is added.
    """
    end = time.monotonic() + wait
    while True:
        try:
            return open_target(reference, expected_database=expected_database)
        except UnreadableTarget as error:
            if time.monotonic() + _PAUSE_S > end or not passes(error):
                raise _advised(error) from None
        time.sleep(_PAUSE_S)


def _advised(error: UnreadableTarget) -> UnreadableTarget:
    advice = _NEXT.get(triage.diagnose(str(error)).kind)
    return UnreadableTarget(f"{error}\n{advice}") if advice else error
