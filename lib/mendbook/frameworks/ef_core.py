"""Entity Framework Core with the provider for Npgsql."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout

FRAMEWORK = Framework(
    name="ef-core",
    title="Entity Framework Core",
    home="https://learn.microsoft.com/ef/core/ and EFCore.Relational/Properties/RelationalStrings.resx",
    over=("npgsql",),
    only=False,
    marks=(
        "Microsoft.EntityFrameworkCore",
        "EntityFrameworkCore.",
        "__EFMigrationsHistory",
        "DbUpdateException",
        "Executed DbCommand",
        "dotnet ef",
    ),
    shapes=(r"Failed executing DbCommand", r"Executing DbCommand"),
    wordings=(
        Wording(
            text="The model for context '{}' has pending changes. Add a new migration before updating the database.…",
            kind="migration_pending",
        ),
        Wording(text="The model for context '{}' changes each time it is built.…", kind="migration_pending"),
        Wording(text="The migration '{}' was not found.", kind="migration_history"),
    ),
    statements=(r"Failed executing DbCommand[^\n]*\n(?P<sql>(?:[ \t]{2,}[^\n]*\n?){1,200})",),
    frames=("Microsoft.EntityFrameworkCore.",),
    qualifies_by="alias",
)


# EFCore.Relational/Migrations/HistoryRepository.cs of dotnet/efcore. The version of the library is the last row's.
LEDGER = Ledger(
    table="__EFMigrationsHistory",
    columns=("MigrationId", "ProductVersion"),
    create="""CREATE TABLE {table} (
    "MigrationId" character varying(150) NOT NULL,
    "ProductVersion" character varying(32) NOT NULL,
    CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY ("MigrationId")
)""",
    name='"MigrationId"',
    layout=Layout(file=r"(?:.*/)?(?P<name>\d{14}_[^/.]+)\.cs"),
    row={
        "MigrationId": "{name}",
        "ProductVersion": """coalesce((
            SELECT "ProductVersion" FROM {table} ORDER BY "MigrationId" DESC LIMIT 1
        ), '')""",
    },
)
