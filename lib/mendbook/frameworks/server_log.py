"""The server's own log: stderr with any log_line_prefix, csvlog, jsonlog."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="postgres-server-log",
    title="PostgreSQL server log",
    home="https://www.postgresql.org/docs/current/runtime-config-logging.html",
    shapes=(
        r"\d\d:\d\d:\d\d(?:(?!Error|Exception|::|SQLSTATE|failed)[^\n]){0,200}?[ \]>:][^\W\d_]{2,20}(?: \(\w+\))?:  \S",
        r"\"error_severity\": ?\"",
        r"\"state_code\": ?\"[0-9A-Z]{5}\"",
    ),
)
