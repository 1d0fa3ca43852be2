"""`Quotation`: the failing statement, or a part of it, as a text quotes it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mendbook import frameworks
from mendbook.symptom import fields, location
from mendbook.symptom.placeholders import Parameter

_SQL = re.compile(
    r"\s*(?:(?:--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|\()\s*)*"
    r"(?:SELECT|INSERT|UPDATE|DELETE|WITH|ALTER|CREATE|DROP|TRUNCATE|MERGE|CALL|COPY|LOCK|GRANT|REVOKE|COMMENT|REFRESH|SET"
    r"|EXECUTE|PREPARE|DO|VACUUM|ANALYZE|REINDEX|EXPLAIN|TABLE|VALUES|FETCH|DECLARE|CLUSTER|IMPORT|REASSIGN|SECURITY)\b",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"(?<![\w])(?:[rRbBuU]{0,2})(\"\"\"|'''|\"|')(?P<sql>(?:\\.|(?!\1)[^\\\n])*)\1", re.DOTALL)
_FROM = re.compile(r"\b(?:FROM|UPDATE|INTO)\s+\S", re.IGNORECASE)
_AFTER_FROM = re.compile(r"\b(?:WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|RETURNING|SET|VALUES)\b", re.IGNORECASE)
Table = tuple[str | None, str]

_NAME = re.compile(r"(?:\"(?:[^\"]|\"\")+\"|[^\W\d][\w$]*)(?:\.(?:\"(?:[^\"]|\"\")+\"|[^\W\d][\w$]*)){0,3}")
_ON_TABLE = re.compile(
    rf"\s*(?:CREATE|DROP|ALTER)\b[^;]{{0,2000}}?\b(?:INDEX|TRIGGER|POLICY|RULE)\b[^;]{{0,4000}}?"
    rf"\b(?:ON|TO)\s+(?:ONLY\s+)?(?P<table>{_NAME.pattern})",
    re.IGNORECASE,
)
_REFERENCES = re.compile(
    rf"\bREFERENCES\s+(?P<table>{_NAME.pattern})\s*\((?P<columns>[^()]{{1,2000}})\)", re.IGNORECASE
)
_FOREIGN_KEY = re.compile(r"\bFOREIGN\s+KEY\s*\(([^()]{1,2000})\)", re.IGNORECASE)
_PROMPT = re.compile(r"^[\w.-]{1,64}[-'\"($*][>#] ", re.MULTILINE)  # psql, on the further lines of a statement
_BEFORE = 8000  # characters before a message in which its statement may begin
_LONGEST = 100_000  # characters of a statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotation:
    """SQL in a text."""

    sql: str  # with placeholders as they stand in the text, without the semicolon of a terminal or log
    start: int  # offset in the text
    end: int
    whole: bool  # nothing seems to be missing
    closed: bool  # every table of the query is seen
    inner: bool  # a query inside the statement's functions or triggers
    tables: Mapping[str, Table] = field(hash=False)  # what each name stands for: alias or table → (schema, table)
    parameters: tuple[Parameter, ...]  # in the order in which they stand


def reported(text: str) -> Iterator[Quotation]:
    """The SQL in the fields of an error report: ``sql: '…'``, ``internalQuery: '…'``."""
    for one in fields.named(text):
        if one.name in ("sql", "inner") and _SQL.match(one.value):
            yield _quotation(one.value, one.start, one.end, inner=one.name == "inner")


def printed(text: str, message: str, start: int, end: int) -> Iterator[Quotation]:
    """The SQL that is printed around a *message* at *start* to *end* of *text*, the best first."""
    yield from _in_frameworks(text, message)
    yield from (one for one in _in_labels(text) if one.start >= start)  # above are those of the error before
    yield from (one for one in _in_excerpts(text) if one.start >= start)
    yield from _in_source(text, start, end)


def _in_frameworks(text: str, message: str) -> Iterator[Quotation]:
    at = text.find(message) if message else -1
    for framework in frameworks.listing().values():
        for form in framework.statements:
            pattern = _compiled(form.replace("{message}", re.escape(message)))
            # SQL that stands before the message is looked for nowhere else: it may be anything up to there
            bounds = (max(0, at - _BEFORE), at + len(message)) if "{message}" in form else (0, len(text))
            match = pattern.search(text, *bounds) if bounds[1] > 0 else None
            if match and _SQL.match(match["sql"]):
                sql = _PROMPT.sub("", match["sql"]).rstrip().removesuffix(";")
                yield _quotation(sql, *match.span("sql"))


def _in_labels(text: str) -> Iterator[Quotation]:
    for one in sorted(fields.labelled(text), key=lambda one: one.name != "STATEMENT"):
        if one.name in ("STATEMENT", "QUERY") and _SQL.match(one.value):
            sql = one.value.removesuffix(";").rstrip()
            yield _quotation(sql, one.start, one.end, inner=one.name == "QUERY")


def _in_excerpts(text: str) -> Iterator[Quotation]:
    for excerpt in fields.excerpts(text):
        sql = excerpt.sql.partition("\\n")[0].rstrip().removesuffix(";").rstrip()
        cut = excerpt.number > 1 or "..." in (sql[:3], sql[-3:]) or not _SQL.match(sql)
        yield _quotation(sql, excerpt.start, excerpt.end, cut=cut or _goes_on(sql))


def _goes_on(sql: str) -> bool:
    """Whether the first line of a SELECT lacks the FROM that its columns need: ``SELECT id, total``."""
    from mendbook import lexer

    if sql[:6].upper() != "SELECT" or _FROM.search(sql):
        return False
    read = [token for token in lexer.tokens(sql[6:]) if token.kind not in ("space", "comment")]
    calls = {token.end for token, after in itertools.pairwise(read) if after.text in ("(", ".")}
    casts = {
        after.start for token, after in itertools.pairwise(read) if token.text == "::" or token.text.upper() == "AS"
    }
    names = [token for token in read if token.kind in ("word", "quoted")]
    return any(token.end not in calls and token.start not in casts for token in names)


def _in_source(text: str, start: int, end: int) -> Iterator[Quotation]:
    """A literal in the line of source code that a Python traceback shows for the application's own frame."""
    frame = location.innermost(text, start, end)
    if frame and frame.form == "python":
        line_start = text.find("\n", frame.end) + 1
        line_end = text.find("\n", line_start)
        for literal in _LITERAL.finditer(text, line_start, line_end if line_end >= 0 else len(text)):
            if line_start and _SQL.match(literal["sql"]):
                sql = re.sub(r"\\(['\"\\])", r"\1", literal["sql"])
                yield _quotation(sql, *literal.span("sql"))


def _quotation(sql: str, start: int, end: int, *, cut: bool = False, inner: bool = False) -> Quotation:
    from mendbook.symptom import statements

    sql = sql.strip()[:_LONGEST]
    read = statements.normalise(sql)
    whole = not cut and not read.truncated
    return Quotation(
        sql=sql,
        start=start,
        end=end,
        whole=whole,
        closed=whole or _is_closed(sql),
        inner=inner,
        tables=_owner(sql) | dict(read.tables),
        parameters=read.parameters,
    )


def _owner(sql: str) -> dict[str, Table]:
    """The table that an index, a trigger, a policy or a rule is made for."""
    from mendbook.symptom import statements

    found = _ON_TABLE.match(sql)
    named = statements.parts(found["table"]) if found else ()
    return {named[-1]: (named[-2] if len(named) > 1 else None, named[-1])} if named else {}


def _is_closed(sql: str) -> bool:
    """Whether a part of a statement shows where its list of tables begins and where it ends."""
    begins = _FROM.search(sql)
    return bool(begins and _AFTER_FROM.search(sql, begins.end()))


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


def schemas(sql: str, table: str) -> set[str]:
    """The schemas that *sql*, which may be cut anywhere, writes before *table* and a column of it."""
    doubled = table.replace('"', '""')
    name = rf'(?:"{re.escape(doubled)}"|{re.escape(table)})'
    qualified = re.compile(rf'(?:"([^"]+)"|(?<![\w"])([^\W\d]\w*))\.{name}\.', re.IGNORECASE)
    return {match[1] or match[2].lower() for match in qualified.finditer(sql)}


def referenced(sql: str) -> Mapping[str, Table]:
    """The columns that a foreign key in *sql* refers to, with their table."""
    from mendbook.symptom import statements

    found: dict[str, Table] = {}
    for match in _REFERENCES.finditer(sql):
        table = statements.parts(match["table"])
        for column in _NAME.findall(match["columns"]) if table else ():
            found[statements.fold(column)] = (table[-2] if len(table) > 1 else None, table[-1])
    return found


def referring(sql: str) -> set[str]:
    """The columns that a foreign key in *sql* is made of."""
    from mendbook.symptom import statements

    lists = (match[1] for match in _FOREIGN_KEY.finditer(sql))
    return {statements.fold(column) for columns in lists for column in _NAME.findall(columns)}


def name_at(sql: str, position: int) -> tuple[str, ...]:
    """The parts of the name at a 0-based *position* of *sql*, where the server says that an error is."""
    from mendbook.symptom import statements

    found = _NAME.match(sql, position)
    return statements.parts(found[0]) if found else ()
