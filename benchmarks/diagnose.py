"""`mendbook diagnose` as a whole process, against the papermill command on the same notebook."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psycopg
from mendbook import embedded, runbook
from mendbook.run import notebooks

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import measure

BOOK = "socket-sessions-updated-at"


def main() -> None:
    """Print the table."""
    server = embedded.server()
    with server.scratch() as name, tempfile.TemporaryDirectory() as place:
        with psycopg.connect(server.conninfo(name), autocommit=True) as conn:
            conn.execute(runbook.find(BOOK).broken.encode())
        env = {"SHOP": server.conninfo(name)}
        own = [sys.executable, "-m", "mendbook.cli", "diagnose", BOOK, "--target", "env:SHOP"]
        given = ["-p", "runbook", BOOK, "-p", "target", "env:SHOP"]
        page = str(notebooks.path("diagnose"))
        plain = [sys.executable, "-m", "papermill", "--no-progress-bar", page, "out.ipynb", *given]
        costs = {
            "papermill diagnose.ipynb": measure.command(plain, times=5, cwd=Path(place), env=env),
            "mendbook diagnose": measure.command(own, times=5, cwd=Path(place), env=env),
        }
    measure.table("One diagnosis, whole process", costs)


if __name__ == "__main__":
    main()
