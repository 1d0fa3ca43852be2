"""psql, the terminal of PostgreSQL."""

from __future__ import annotations

from mendbook.frameworks import Framework
from mendbook.origin import Dump, Origin

FRAMEWORK = Framework(
    name="psql",
    title="psql",
    home="https://www.postgresql.org/docs/current/app-psql.html and src/bin/psql/common.c",
    shapes=(
        r"^psql:(?:[^\n:]{1,300}:\d+: | [^\W\d_]+ ?: )",
        r"^[\w.-]{1,64}=[*!^]?[>#] ",
        r"(?:^|\| )\$ psql ",
    ),
    hints=(r"^[^\W\d_]{2,30}(?: \(\w+\))?:  (?!\w+ in )\S",),
    statements=(
        r"^[\w.-]{1,64}=[*!^]?[>#] (?P<sql>(?:(?!^[\w.-]{1,64}=[*!^]?[>#] )(?:.|\n)){1,20000}?)\n[^\n]*{message}",
        r"\bpsql [^\n]*(?:-c|--command)[ =]\"(?P<sql>[^\"\n]+)\"",
        r"\bpsql [^\n]*(?:-c|--command)[ =]'(?P<sql>[^\n]+)'",
    ),
)

EXPECTATION = Origin(prefix="sql", form="FILE or DIR", means=Dump())
