"""goose, the migration tool for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

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
