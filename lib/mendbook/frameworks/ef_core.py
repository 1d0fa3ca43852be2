"""Entity Framework Core with the provider for Npgsql."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

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
