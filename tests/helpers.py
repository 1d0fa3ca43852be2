"""What several tests say: small sentences about databases, incidents and commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from mendbook import runbook
from mendbook.incident import Incident
from mendbook.schema import snapshot
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Target

BOOK = "socket-sessions-updated-at"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.out)
        return answer


def mendbook(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Answer:
    """Run the command line as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "mendbook.cli", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


def broken(name: str = BOOK) -> str:
    """The script that builds a runbook's broken database."""
    return runbook.find(name).broken


def run(conninfo: str, statements: str) -> None:
    """Run SQL, committed."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(statements.encode())


def read(conninfo: str) -> Snapshot:
    """The schema of a database."""
    with Target(reference="test", _conninfo=conninfo).reading() as conn:
        return snapshot.read(conn)


def fingerprint(conninfo: str) -> str:
    """The fingerprint of a database's schema."""
    return read(conninfo).fingerprint()


def repair(found: Incident, *, wait: float = 60.0) -> Incident:
    """What the page does."""
    incident = Incident.resume(str(found.folder), wait=wait)
    incident.still_there()
    incident.approve(found.plan.digest)
    incident.apply(wait=wait)
    incident.verify()
    incident.repaired()
    return incident


def assert_no_traceback(answer: Answer) -> None:
    """A message is for a person."""
    assert "Traceback" not in answer.out + answer.err
    assert answer.out + answer.err
