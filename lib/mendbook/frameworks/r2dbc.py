"""R2DBC for PostgreSQL, the reactive driver for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="r2dbc",
    title="R2DBC PostgreSQL",
    home="https://github.com/pgjdbc/r2dbc-postgresql: ExceptionFactory.java",
    marks=("io.r2dbc.postgresql.", "PostgresqlBadGrammarException", "PostgresqlDataIntegrityViolationException"),
    statements=(r"; SQL \[(?P<sql>(?:.|\n){1,20000}?)\](?=;|\n|$)",),
    frames=("io.r2dbc.",),
)
