"""A Snapshot of 5,000 tables against pg_dump --schema-only and SQLAlchemy's MetaData.reflect."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psycopg
from mendbook import embedded

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import measure

TABLES = 5_000
COLUMNS = """c1 text, c2 integer, c3 timestamptz DEFAULT now(), c4 text, c5 integer, c6 timestamptz DEFAULT now(),
c7 text, c8 integer"""

SNAPSHOT = """
import sys
from mendbook.schema import snapshot
from mendbook.target import Target
with Target(reference="bench", _conninfo=sys.argv[1]).reading() as conn:
    found = snapshot.read(conn)
assert sum(1 for _ in found.tables()) == int(sys.argv[2])
"""

FINGERPRINT = SNAPSHOT + "found.fingerprint()\n"

REFLECT = """
import sys
import psycopg
import sqlalchemy
engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(sys.argv[1]))
metadata = sqlalchemy.MetaData()
metadata.reflect(engine)
assert len(metadata.tables) == int(sys.argv[2])
"""


def script(tables: int) -> str:
    """Tables of ten columns, three indexes and one foreign key each."""
    lines = []
    for n in range(tables):
        lines.append(f"CREATE TABLE t{n} (id bigint PRIMARY KEY, {COLUMNS}, parent bigint);")
        lines += [f"CREATE INDEX t{n}_c{c} ON t{n} (c{c});" for c in (1, 2, 3)]
    # A shallow tree: along a chain of thousands, MetaData.reflect ends in a RecursionError.
    lines += [f"ALTER TABLE t{n} ADD FOREIGN KEY (parent) REFERENCES t{n // 10};" for n in range(tables)]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    server = embedded.start(settings={"max_locks_per_transaction": "1024"})
    try:
        with server.scratch() as name, tempfile.TemporaryDirectory() as place:
            conninfo = server.conninfo(name)
            with psycopg.connect(conninfo, autocommit=True) as conn:
                conn.execute(script(TABLES).encode())
                conn.execute("VACUUM ANALYZE")
            pg_dump = embedded.majors()[server.major] / "pg_dump"
            here = Path(place)

            def python(program: str) -> measure.Cost:
                return measure.command([sys.executable, "-c", program, conninfo, str(TABLES)], times=3, cwd=here)

            costs = {
                "Snapshot": python(SNAPSHOT),
                "Snapshot with fingerprint": python(FINGERPRINT),
                "pg_dump --schema-only": measure.command([str(pg_dump), "--schema-only", conninfo], times=3, cwd=here),
                "MetaData.reflect": python(REFLECT),
            }
        measure.table(f"{TABLES:,} tables × 10 columns, {TABLES * 3:,} indexes, {TABLES:,} foreign keys", costs)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
