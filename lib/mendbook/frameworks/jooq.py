"""jOOQ, the query builder for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="jooq",
    title="jOOQ",
    home="https://www.jooq.org/doc/latest/manual/ and org/jooq/exception",
    over=("hikari", "jdbc", "r2dbc"),
    only=False,
    marks=("org.jooq.",),
    statements=(r"DataAccessException: SQL \[(?P<sql>(?:.|\n){1,20000}?)\];",),
    frames=("org.jooq.",),
    qualifies_by="table",
)
