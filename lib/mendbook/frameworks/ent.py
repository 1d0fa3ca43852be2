"""ent, the entity framework for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="ent",
    title="ent",
    home="https://entgo.io/docs/ and dialect/sql of ent/ent",
    over=("pgx", "lib-pq"),
    only=False,
    marks=("entgo.io/ent", "sql/schema: "),
    shapes=(r"(?<![\w/])ent: ",),
    wordings=(Wording(text="ent: constraint failed: {}", kind="other", own=False),),
)
