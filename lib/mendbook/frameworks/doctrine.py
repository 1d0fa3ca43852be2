"""Doctrine: DBAL, ORM and migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="doctrine",
    title="Doctrine",
    home="https://www.doctrine-project.org and src/Driver/API/PostgreSQL/ExceptionConverter.php of doctrine/dbal",
    over=("pdo",),
    only=False,
    marks=(
        "Doctrine\\",
        "vendor/doctrine/",
        "doctrine:migrations",
        "An exception occurred while executing",
        "An exception occurred in the driver",
    ),
    wordings=(
        Wording(
            text="The metadata storage is not up to date, please run the sync-metadata-storage command …",
            kind="migration_history",
        ),
        Wording(text="You have {} available migrations to execute.", kind="migration_pending"),
        Wording(text='The migration version "{}" is not found.', kind="migration_history", own=False),
    ),
    statements=(r"An exception occurred while executing '(?P<sql>(?:.|\n){1,20000}?)'(?: with params|:)",),
    qualifies_by="alias",
)
