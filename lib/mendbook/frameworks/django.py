"""Django, its ORM and its migrations."""

from __future__ import annotations

import re
from pathlib import Path

from mendbook.errors import Usage
from mendbook.frameworks import Framework, Wording
from mendbook.origin import Command, Origin, Program

FRAMEWORK = Framework(
    name="django",
    title="Django",
    home="https://docs.djangoproject.com and django/db/utils.py, django/db/migrations, core/management/commands",
    over=("psycopg2", "psycopg3"),
    only=False,
    marks=(
        "django.db.utils.",
        "site-packages/django/",
        "django.db.migrations",
        "manage.py",
        "django.request",
        "django.core.",
    ),
    shapes=(r"\bdjango_migrations\b", r"Applying \w+\.\d{4}_\w+"),
    wordings=(
        Wording(
            text="You have {} unapplied migration(s). Your project may not work properly until you apply{}",
            kind="migration_pending",
        ),
        Wording(text="Migration {} is applied before its dependency {} on database '{}'.", kind="migration_history"),
        Wording(
            text="Conflicting migrations detected; multiple leaf nodes in the migration graph: {}",
            kind="migration_history",
        ),
        Wording(text="Migration {} dependencies reference nonexistent parent node {}", kind="migration_history"),
        Wording(text="[ ] {}_{}", kind="migration_pending", own=False),
        Wording(text="Planned operations:", kind="migration_pending", own=False),
        Wording(
            text="Your models in app(s): {} have changes that are not yet reflected in a migration{}",
            kind="migration_pending",
        ),
        Wording(
            text="An error occurred in the current transaction. You can't execute queries until the end …",
            kind="aborted_transaction",
        ),
        Wording(text="connection already closed", kind="connection_lost", own=False),
        Wording(text="the connection is closed", kind="connection_lost", own=False),
    ),
    qualifies_by="table",
)


def _command(place: str) -> Command:
    folder, _, settings = place.partition(":")
    return Command(folder=Path(folder).resolve(), words=("run_django.py", settings or _settings(Path(folder))))


def _settings(folder: Path) -> str:
    """The settings that manage.py names."""
    manage = folder / "manage.py"
    found = _SETTINGS.search(manage.read_text(encoding="utf-8")) if manage.is_file() else None
    if found is None:
        raise Usage(
            f"{manage} names no settings; nothing was started. Name the project and its settings: "
            f"django:{folder}:shop.settings."
        )
    return found[1]


_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE[^\w\n]+([\w.]+)""")

EXPECTATION = Origin(
    prefix="django",
    form="DIR[:SETTINGS]",
    means=Program(language="Python", command=_command, install="pip install django psycopg[binary]"),
)
