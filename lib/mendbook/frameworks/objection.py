"""Objection.js, the ORM on Knex."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="objection",
    title="Objection.js",
    home="https://vincit.github.io/objection.js/ and lib/ of Vincit/db-errors",
    over=("knex", "node-postgres"),
    only=False,
    marks=("node_modules/objection/", "node_modules\\objection\\", "node_modules/db-errors/"),
    shapes=(
        r"(?<![\w.])(?:UniqueViolation|NotNullViolation|ForeignKeyViolation|CheckViolation)Error: [a-z]",
        r"\bnativeError: ",
    ),
)
