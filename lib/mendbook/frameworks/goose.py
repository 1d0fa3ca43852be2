"""goose, the migration tool for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Origin, Scripts, between

FRAMEWORK = Framework(
    name="goose",
    title="goose",
    home="https://pressly.github.io/goose/ and migration_sql.go of pressly/goose",
    over=("pgx", "lib-pq"),
    only=False,
    marks=("pressly/goose", "goose_db_version"),
    shapes=(r"\bgoose(?: run|: )",),
    wordings=(Wording(text="found {} missing{} migrations{}", kind="migration_history", own=False),),
    statements=(
        r"failed to run SQL migration[^\n]*?: failed to execute SQL query \"(?P<sql>(?:[^\"\\]|\\.){1,20000})\": ",
    ),
)

EXPECTATION = Origin(
    prefix="goose",
    form="DIR",
    means=Scripts(
        file=r"(?P<version>[0-9]+)_[^/]+\.sql",
        mark=r"^--\s*\+goose\s+Up\b",
        forward=between(r"--\s*\+goose\s+Up\b", r"--\s*\+goose\s+Down\b"),
        program=r"[0-9]+_[^/]+(?<!_test)\.go",
    ),
)
