"""`mendbook diff` of two databases of 5,000 tables, one column apart, against the two catalog reads alone and migra.

migra is installed into a folder of its own that goes afterwards: it needs an older setuptools.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import psycopg
from mendbook import embedded

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import measure
from benchmarks.snapshot import TABLES, script

READS = """
import sys
from mendbook.schema import snapshot
from mendbook.target import Target
for conninfo in sys.argv[1:]:
    with Target(reference="bench", _conninfo=conninfo).reading() as conn:
        snapshot.read(conn)
"""

MIGRA = """
import sys
from migra import Migration
from sqlbag import S
with S(sys.argv[1]) as live, S(sys.argv[2]) as desired:
    found = Migration(live, desired)
    found.set_safety(False)
    found.add_all_changes()
    assert "c8" in found.sql
"""


def main() -> None:
    """Print the table."""
    server = embedded.start(settings={"max_locks_per_transaction": "1024"})
    try:
        with tempfile.TemporaryDirectory() as place, server.scratch() as desired, server.scratch() as live:
            for name in (live, desired):
                with psycopg.connect(server.conninfo(name), autocommit=True) as conn:
                    conn.execute(script(TABLES).encode())
                    if name == live:
                        conn.execute("ALTER TABLE t4711 DROP COLUMN c8")
                    conn.execute("VACUUM ANALYZE")
            here = Path(place)
            sides = [server.conninfo(live), server.conninfo(desired)]
            env = {"LIVE": sides[0], "DESIRED": sides[1]}
            diff = [sys.executable, "-m", "mendbook.cli", "diff", "env:LIVE", "env:DESIRED", "--format", "sql"]
            python = peers(here / "peers")
            place_of = f"host={server.socket_dir}&port={server.port}"
            urls = [f"postgresql+psycopg2://postgres@/{name}?{place_of}" for name in (live, desired)]
            costs = {
                "mendbook diff": measure.command(diff, times=3, cwd=here, env=env),
                "two catalog reads": measure.command([sys.executable, "-c", READS, *sides], times=3, cwd=here),
                "migra": measure.command([str(python), "-W", "ignore", "-c", MIGRA, *urls], times=1, cwd=here),
            }
        measure.table(f"{TABLES:,} tables × 10 columns, one column missing", costs)
    finally:
        server.stop()


def peers(folder: Path) -> Path:
    """The Python of a new environment that has migra."""
    venv.create(folder)
    python = folder / "bin" / "python"
    wanted = ["migra==3.0.1663481299", "psycopg2-binary", "setuptools<81"]
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    return python


if __name__ == "__main__":
    main()
