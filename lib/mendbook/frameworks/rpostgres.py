"""R: RPostgres, RPostgreSQL and DBI."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="rpostgres",
    title="RPostgres",
    home="https://rpostgres.r-dbi.org and src/DbConnection.cpp; src/RS-PostgreSQL.c of RPostgreSQL",
    marks=(
        "RPostgres",
        "RS-DBI driver",
        "postgresqlExecStatement",
        "postgresqlQuickSQL",
        "result_create(",
        "Failed to fetch row",
        "Failed to prepare query",
        "connection_create(",
    ),
    shapes=(r"Error in (?:db[A-Z]\w+|\.local)\(",),
    statements=(r"[Cc]ould not create execute: (?P<sql>[^\n]+(?:\n(?!\S*(?:Error|Warning|Calls))[^\n]+)*)",),
)
