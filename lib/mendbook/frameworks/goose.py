"""goose, the migration tool for Go."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number
from mendbook.origin import Origin

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


# internal/dialects/postgres.go and internal/sqlparser of pressly/goose; the row of version 0 is about no migration.
LEDGER = Ledger(
    table="goose_db_version",
    columns=("id", "version_id", "is_applied", "tstamp"),
    create="""CREATE TABLE {table} (
    id serial NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp NULL DEFAULT now(),
    PRIMARY KEY (id)
)""",
    name="version_id",
    rows="""version_id > 0 AND id = (
    SELECT max(newer.id) FROM {table} AS newer WHERE newer.version_id = entry.version_id
)""",
    state="CASE WHEN is_applied THEN 'done' ELSE 'rolled back' END",
    at="tstamp",
    layout=Layout(
        file=r"0*(?P<name>[0-9]+)_[^/]*(?<!_test)\.(?:sql|go)",
        mark=r"^--\s*\+goose\s+up\b",
        order=by_number,
        up=r"--\s*\+goose\s+up\b",
        down=r"--\s*\+goose\s+down\b",
    ),
    row={"version_id": "{name}", "is_applied": "true"},
)


def _files(change: Change) -> Mapping[str, str]:
    up, down = (
        "".join(f"-- +goose StatementBegin\n{each};\n-- +goose StatementEnd\n" for each in statements)
        for statements in (change.forward, change.backward)
    )
    single = "" if change.transaction else "-- +goose NO TRANSACTION\n"
    return {f"{change.number}_{change.title}.sql": f"{single}-- +goose Up\n{up}\n-- +goose Down\n{down}"}


MIGRATION = Format(files=_files)

EXPECTATION = Origin(prefix="goose", form="DIR", means=LEDGER.layout)
