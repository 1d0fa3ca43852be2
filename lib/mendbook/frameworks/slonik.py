"""Slonik, the strict client for Node.js."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="slonik",
    title="Slonik",
    home="https://github.com/gajus/slonik: packages/errors",
    over=("node-postgres",),
    marks=("node_modules/slonik/", "node_modules/@slonik/", "node_modules\\slonik\\"),
    shapes=(
        r"\bSlonikError\b",
        r"\b(?:StatementCancelled|StatementTimeout|BackendTerminated|TupleMovedToAnotherPartition|InputSyntax)Error: ",
        r"\b(?:NotNull|Unique|ForeignKey|Check)IntegrityConstraintViolationError\b",
    ),
    wordings=(
        Wording(text="Query violates a not NULL integrity constraint.…", kind="not_null_violation", sqlstate="23502"),
        Wording(text="Query violates a unique integrity constraint.…", kind="other", sqlstate="23505"),
        Wording(text="Query violates a foreign key integrity constraint.…", kind="other", sqlstate="23503"),
        Wording(text="Query violates a check integrity constraint.…", kind="other", sqlstate="23514"),
        Wording(text="Backend has been terminated.…", kind="connection_lost"),
        Wording(text="Statement has been cancelled.…", kind="statement_timeout", sqlstate="57014"),
        Wording(text="Statement has been cancelled due to a statement_timeout.…", kind="statement_timeout"),
        Wording(text="Connection pool has ended.", kind="pool_closed"),
        Wording(text="Connection pool has been shut down. Cannot create a new connection.", kind="pool_closed"),
        Wording(text="Connection pool is being shut down. Cannot create a new connection.", kind="pool_closed"),
    ),
)
