"""A scratch database on a server of its own, so that roles, settings and databases made there meet nobody else."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from mendbook import embedded
from mendbook.target import Target

# The server's log tells what a program of the application ran into. A program that waits for a lock here waits for
# another connection of its own, so for ever.
_SETTINGS = {"logging_collector": "on", "log_destination": "csvlog", "lock_timeout": "10s"}
_LOG: LiteralString = "SELECT pg_read_file(pg_current_logfile('csvlog'))"
_FILLED: LiteralString = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
"""
# Columns of a csvlog, from 0: section 19.8.4 of the manual, "Using CSV-Format Log Output".
_SEVERITY, _SQLSTATE, _MESSAGE = 11, 12, 13


@dataclass(frozen=True, kw_only=True, slots=True)
class Scratch:
    """An empty database that is filled with an expectation."""

    server: embedded.Server
    database: str
    target: Target
    notes: tuple[str, ...]  # what differs from what was asked for

    def filled(self) -> bool:
        """Whether there is anything in the database."""
        with self.target.connect() as conn:
            return conn.execute(_FILLED).fetchone() == (True,)

    def errors(self) -> list[tuple[str, str]]:
        """The SQLSTATE and message of every statement that failed, the last one first."""
        with self.target.connect() as conn:
            [log] = conn.execute(_LOG).fetchone() or ("",)
        failed = [row for row in csv.reader(io.StringIO(log)) if row[_SEVERITY] == "ERROR"]
        return [(row[_SQLSTATE], row[_MESSAGE]) for row in reversed(failed)]


@contextlib.contextmanager
def database(reference: str, major: int | None) -> Iterator[Scratch]:
    """Yield a scratch database for *reference*, of PostgreSQL *major* where that is installed."""
    notes: tuple[str, ...] = ()
    if major is not None and major not in embedded.majors():
        newest = max(embedded.majors(), default=None)
        notes = (f"PostgreSQL {major} is not installed here, so the scratch database is of PostgreSQL {newest}.",)
        major = newest
    server = embedded.start(major=major, settings=_SETTINGS)
    try:
        with server.scratch() as name:
            target = Target(reference=f"the scratch database of {reference}", _conninfo=server.conninfo(name))
            yield Scratch(server=server, database=name, target=target, notes=notes)
    finally:
        server.stop()
