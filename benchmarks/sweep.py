"""A sweep of a tree of 2,000 files, and the server's part of it in a pipeline against one round trip each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from mendbook import embedded, render
from mendbook.symptom import parsing, sweep
from mendbook.target import read_only
from psycopg import pq

FILES = 2_000
STATEMENTS = 5  # of a file
TABLES = 200
FAILING = 50  # every so many statements, one

T = TypeVar("T")

# How each language writes a call with a statement of several lines.
LANGUAGES = {
    ".js": "async function f{n}(id) {{\n  return await db.query(`{sql}`, [id]);\n}}\n",
    ".ts": "export async function f{n}(id: number) {{\n  return await db.query<Row>(`{sql}`, [id]);\n}}\n",
    ".py": 'def f{n}(cursor, id):\n    cursor.execute("""{sql}""", [id])\n    return cursor.fetchall()\n\n\n',
    ".rb": "def f{n}(id)\n  conn.exec_params(<<~SQL, [id])\n{sql}\n  SQL\nend\n",
    ".go": "func f{n}(db *sql.DB, id int) {{\n\trows, err := db.Query(`{sql}`, id)\n\tdefer rows.Close()\n}}\n",
    ".java": 'class C{n} {{ void f(int id) {{ jdbc.query("""\n{sql}""", id); }} }}\n',
    ".kt": 'fun f{n}(id: Int) {{\n    jdbc.query("""{sql}""", id)\n}}\n',
    ".php": "<?php\nfunction f{n}($db, $id) {{\n    return $db->query('{sql}', $id);\n}}\n?>\n",
    ".cs": 'class C{n} {{ void F(int id) {{ db.Query(@"{sql}", id); }} }}\n',
    ".rs": 'fn f{n}(db: &Db, id: i32) {{\n    db.query("{sql}", &[&id]);\n}}\n',
}


def statement(n: int) -> str:
    """A join over two tables; each is another."""
    column = "gone" if n % FAILING == 0 else "note"
    one, other = n % TABLES, (n + 7) % TABLES
    return (
        f"\n    SELECT a.id, a.{column}, b.made AS made_{n}\n    FROM t{one} a JOIN t{other} b ON b.id = a.id"
        f"\n    WHERE a.id = $1 AND b.made > now()\n    ORDER BY b.made DESC LIMIT 10\n"
    )


def write(root: Path) -> int:
    """Write the tree; return its size in bytes."""
    size = 0
    for number in range(FILES):
        suffix, template = list(LANGUAGES.items())[number % len(LANGUAGES)]
        first = number * STATEMENTS
        source = "".join(template.format(n=n, sql=statement(n)) for n in range(first, first + STATEMENTS))
        path = root / f"module{number % 40}" / f"file{number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        size += len(source)
    return size


def one_by_one(conn: psycopg.Connection[Any], statements: Sequence[str]) -> int:
    """Parse each statement in a round trip of its own; return how many fail."""
    failing = 0
    with read_only(conn):
        conn.execute("SAVEPOINT parse")
        for sql in statements:
            if conn.pgconn.prepare(b"", sql.encode()).status != pq.ExecStatus.COMMAND_OK:
                failing += 1
                conn.pgconn.exec_(b"ROLLBACK TO SAVEPOINT parse")
    return failing


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that *work* took, and what it gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Print the tables."""
    with embedded.server().scratch() as name, tempfile.TemporaryDirectory() as place:
        size = write(Path(place))
        with psycopg.connect(embedded.server().conninfo(name), autocommit=True) as conn:
            for n in range(TABLES):
                conn.execute(f"CREATE TABLE t{n} (id bigint PRIMARY KEY, note text, made timestamptz)")
            finding, found = timed(lambda: sweep.find(place))
            judging, swept = timed(lambda: sweep.judge(conn, found))
            statements = [each.statement.sql for each in found.statements]
            assert len(statements) == FILES * STATEMENTS
            assert len(swept.failures) == FILES * STATEMENTS // FAILING
            alone, failing = timed(lambda: one_by_one(conn, statements))
            piped, refusals = timed(lambda: parsing.parse(conn, statements))
            assert failing == sum(refusal is not None for refusal in refusals) == len(swept.failures)
    print(f"A sweep of {FILES} files ({size / 1e6:.1f} MB, {len(statements)} statements): {finding + judging:.2f} s\n")
    render.print_table(
        ("", "seconds", "per second"),
        [
            ("read the files", f"{finding:.2f}", f"{FILES / finding:,.0f} files"),
            ("judge the statements", f"{judging:.2f}", f"{len(statements) / judging:,.0f} statements"),
        ],
    )
    print("\nParse, on this machine's own socket (the longer the way to the server, the more a pipeline saves)\n")
    render.print_table(
        ("", "seconds", "statements per second", "ratio"),
        [
            ("one round trip each", f"{alone:.2f}", f"{len(statements) / alone:,.0f}", "1.0"),
            ("in a pipeline", f"{piped:.2f}", f"{len(statements) / piped:,.0f}", f"{alone / piped:.1f}"),
        ],
    )


if __name__ == "__main__":
    main()
