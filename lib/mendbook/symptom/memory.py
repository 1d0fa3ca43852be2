"""`Memory`: what the server itself still knows of a statement whose failure a text tells without its SQL.

Its log has statements that failed; pg_stat_statements has those that passed once, and may fail now. A statement that
Parse can judge counts only where the server refuses it now as the text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from mendbook import redaction, render
from mendbook.errors import Surroundings
from mendbook.frameworks import Kind
from mendbook.symptom import missing, parsing, statements, triage
from mendbook.symptom.parsing import Refusal
from mendbook.symptom.statements import Statement
from mendbook.symptom.triage import Diagnosis

LOG = 4 << 20  # bytes at the end of the log that are read
_AROUND = 8_000  # characters before and behind a message that its record is in
_RECORDS = 8  # records of the log that are looked at, the last ones
_QUERIES = 5_000  # of pg_stat_statements, those that ran most
_SHOWN = 5  # statements of one source that are shown

_PARSED: frozenset[Kind] = frozenset({"missing_column", "missing_table", "missing_function", "missing_type"})
_LOGGED: frozenset[Kind] = _PARSED.union(
    ("missing_schema", "missing_constraint", "duplicate_object", "type_mismatch", "not_null_violation"),
    ("invalid_enum", "permission", "stale_plan"),
)
_NAMES = ("table", "column", "function", "type", "schema", "constraint")

_EXTENSION: LiteralString = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""
_STATEMENTS: LiteralString = """
SELECT s.query FROM {statements} AS s
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY s.calls DESC LIMIT {most}
"""
# A name and not an offset from the end: pg_read_binary_file() fails where the file is shorter than that.
_LOG: LiteralString = """
SELECT f.path, pg_read_binary_file(f.path, greatest(0, l.size - %(most)s), %(most)s) AS content
FROM pg_current_logfile() AS f (path) JOIN pg_ls_logdir() AS l ON l.name = regexp_replace(f.path, '.*/', '')
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One place where the server keeps statements."""

    name: str
    statements: tuple[str, ...]  # those that fail as the text says
    obstacle: str = ""  # why it could not be looked into

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(found or not, where, statement or why not), for people."""
        for each in self.statements[:_SHOWN]:
            yield "found", self.name, redaction.scrub(each)
        if not self.statements:
            yield (
                "not known" if self.obstacle else "nothing",
                self.name,
                self.obstacle or "no statement fails like this",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What was found, the best source first."""

    sources: tuple[Source, ...]

    @property
    def statement(self) -> str | None:
        """The statement that failed, where a source leaves no doubt."""
        found = next((each.statements for each in self.sources if each.statements), ())
        return found[0] if len(found) == 1 else None

    def rows(self) -> list[tuple[str, str, str]]:
        """What `Source.rows` says of each source."""
        return [row for source in self.sources for row in source.rows()]

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.rows(), marks=_MARKS)

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.rows(), marks=_MARKS)


_HEAD = ("", "where", "statement")
_MARKS = {"found": "good", "not known": "warn"}


def search(conn: psycopg.Connection[Any], diagnosis: Diagnosis) -> Memory | None:
    """Look for the statement of *diagnosis*, in the read-only transaction that is open on *conn*.

    None where the text has it, or the error is of no statement. What the role may not read becomes an obstacle.
    """
    if diagnosis.statement or diagnosis.kind not in _LOGGED:
        return None
    sources = [_log(conn, diagnosis)]
    if diagnosis.kind in _PARSED:
        sources.append(_used(conn, diagnosis))
    return Memory(sources=tuple(sources))


# ---- the log


def _log(conn: psycopg.Connection[Any], diagnosis: Diagnosis) -> Source:
    found = _ask(conn, _LOG, {"most": LOG})
    if isinstance(found, str):
        why = f"this role may not read it ({found}); a superuser may, or a role that has pg_monitor and EXECUTE on"
        return Source(name="the server's log", statements=(), obstacle=f"{why} pg_read_binary_file()")
    if not found:
        return Source(name="the server's log", statements=(), obstacle="the server keeps none that SQL can read")
    [(path, content)] = found
    logged = [
        each.statement
        for record in _records(bytes(content).decode(errors="replace"), diagnosis.message)
        for one in [triage.diagnose(record)]
        for each in (one, *one.others)
        if each.statement and _is_like(each, diagnosis)
    ]
    return Source(name=path, statements=tuple(_failing(conn, logged, diagnosis, logged=True)))


def _records(text: str, message: str | None) -> Iterator[str]:
    """The parts of a log around *message*, the last first; all of it where the text has no message."""
    if not message:
        yield text[-(LOG // 4) :]
        return
    quoted = {message, message.replace('"', '""'), message.replace('"', '\\"')}  # as stderr, csvlog and jsonlog have it
    at = len(text)
    for _ in range(_RECORDS):
        at = max(text.rfind(each, 0, at) for each in quoted)
        if at < 0:
            return
        start = text.rfind("\n", 0, at) + 1
        yield text[max(start, at - _AROUND) : at + _AROUND]


def _is_like(found: Diagnosis, wanted: Diagnosis) -> bool:
    """Whether two errors are of one kind, about the same objects."""
    pairs = [(getattr(found, name), getattr(wanted, name)) for name in _NAMES]
    return found.kind == wanted.kind and all(one == two for one, two in pairs if one and two)


# ---- pg_stat_statements


def _used(conn: psycopg.Connection[Any], diagnosis: Diagnosis) -> Source:
    name = "pg_stat_statements"
    installed = _ask(conn, _EXTENSION, {})
    if isinstance(installed, str) or not installed:
        return Source(name=name, statements=(), obstacle="the extension is not in this database")
    view = sql.Identifier(installed[0][0], name)
    found = _ask(conn, sql.SQL(_STATEMENTS).format(statements=view, most=sql.Literal(_QUERIES)), {})
    if isinstance(found, str):
        return Source(name=name, statements=(), obstacle=f"it cannot be read ({found})")
    queries = [query for (query,) in found if query]
    hidden = sum(query == "<insufficient privilege>" for query in queries)
    failing = tuple(_failing(conn, queries, diagnosis, logged=False))
    said = f"{render.words(hidden, 'statement')} of other roles cannot be seen (pg_read_all_stats)" if hidden else ""
    return Source(name=name, statements=failing, obstacle=said)


# ---- both


def _failing(
    conn: psycopg.Connection[Any], found: Sequence[str], diagnosis: Diagnosis, *, logged: bool
) -> Iterator[str]:
    """Those that the server refuses now as *diagnosis* says; of the *logged* ones also what Parse cannot judge."""
    distinct = {each.sql: each for each in map(statements.normalise, found) if not each.truncated}
    judged = [text for text, each in distinct.items() if each.verb in parsing.ANALYSED]
    answers = dict(zip(judged, parsing.parse(conn, judged), strict=True))
    for text, each in distinct.items():
        refusal = answers.get(text)
        if text not in answers:
            fails = logged
        elif diagnosis.kind in _PARSED:
            fails = _fits(each, refusal, diagnosis)
        else:  # it fails when it runs; what names things that are not here is of another database
            fails = refusal is None or refusal.sqlstate == diagnosis.sqlstate
        if fails:
            yield each.written


def _fits(statement: Statement, refusal: Refusal | None, diagnosis: Diagnosis) -> bool:
    """Whether the server misses what the text says is missing."""
    if (
        refusal is None
        or refusal.sqlstate not in missing.SQLSTATES
        or diagnosis.sqlstate not in (None, refusal.sqlstate)
    ):
        return False
    missed = missing.find(statement, refusal.sqlstate, refusal.message, refusal.position)
    pairs = [
        (missed.table, diagnosis.table if diagnosis.certainty.get("table") != "guessed" else None),
        (missed.column, diagnosis.column),
        (missed.other, diagnosis.function or diagnosis.type),
    ]
    return all(one == two for one, two in pairs if one and two)


def _ask(conn: psycopg.Connection[Any], query: LiteralString | sql.Composed, values: dict[str, int]) -> list[Any] | str:
    """The rows, or why the server refuses them; the transaction goes on."""
    conn.execute("SAVEPOINT memory")
    try:
        return conn.execute(query, values).fetchall()
    except psycopg.Error as error:
        if conn.closed:
            raise Surroundings(
                "The connection to the target was lost while its log was read; nothing was changed. Run this again."
            ) from error
        conn.execute("ROLLBACK TO memory")
        return error.diag.message_primary or str(error)
