"""Django, its ORM and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

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
