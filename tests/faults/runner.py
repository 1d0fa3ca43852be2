"""A process that repairs and rolls back on command, each in a child of its own that may be killed at any instant.

It reads one JSON object a line: what to do with which folder, and where to be struck. It answers with the child's pid,
and when that has ended with its exit code. The faults are real: the child kills itself, or has its session ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psycopg
from mendbook.errors import MendbookError
from mendbook.incident import Incident
from mendbook.stages.journal import Journal


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(obey(command))
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def obey(command: dict[str, Any]) -> int:
    """Do one command; returns what the command line would exit with."""
    os.environ.update(command["environment"])
    mark = Path(command["folder"], "struck")
    if command["fault"] == "kill at write":
        strike_journal(command["at"], mark)
    elif command["fault"]:
        strike_statement(command["at"], mark, command["fault"])
    try:
        return change(command)
    except MendbookError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    except psycopg.Error as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def change(command: dict[str, Any]) -> int:
    """What the pages repair and rollback do, cell by cell."""
    incident = Incident.resume(command["folder"], wait=command["wait"])
    if command["do"] == "repair":
        incident.still_there()
        incident.approve(command["digest"])
        incident.apply(wait=command["wait"])
        incident.verify()
        return incident.repaired().exit_code
    incident.approve(command["digest"])
    incident.rollback(wait=command["wait"])
    incident.verify_rollback()
    return incident.rolled_back().exit_code


def strike_journal(at: int, mark: Path) -> None:
    """Kill this process right after the journal's line number *at* of this run."""
    real, written = Journal._add, 0

    def add(self: Journal, event: str, facts: dict[str, Any]) -> None:
        nonlocal written
        real(self, event, facts)
        written += 1
        if written == at:
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    Journal._add = add  # type: ignore[method-assign]


def strike_statement(at: int, mark: Path, fault: str) -> None:
    """Strike when this process sends its statement number *at*: end its session, or kill its backend like a crash."""
    real, sent = psycopg.Connection.execute, 0

    def execute(self: psycopg.Connection[Any], *arguments: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent == at:
            mark.touch()
            strike(self, fault)
        return real(self, *arguments, **options)

    psycopg.Connection.execute = execute  # type: ignore[method-assign]


def strike(conn: psycopg.Connection[Any], fault: str) -> None:
    """End the session of *conn*, or crash the server, which then recovers by itself."""
    pid = conn.info.backend_pid
    if fault == "crash the server":
        os.kill(pid, signal.SIGKILL)
        return
    with psycopg.connect(conn.info.dsn, password=conn.info.password or None, autocommit=True) as other:
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


if __name__ == "__main__":
    main()
