"""pgJDBC, the driver for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="jdbc",
    title="pgJDBC",
    home="https://jdbc.postgresql.org/documentation/ and org/postgresql of pgjdbc/pgjdbc",
    marks=("org.postgresql.", "PSQLException", "jdbc:postgresql:", "PSQLState"),
    introductions=(r"(?:PSQLException: |DatabaseException: |\[|Message +: |SqlExceptionHelper +: )(?:ERROR|FATAL): ",),
    wordings=(
        Wording(
            text="Connection to {} refused. Check that the hostname and port are correct and that the postmaster …",
            kind="connection_refused",
        ),
        Wording(text="The connection attempt failed.", kind="connection_refused", own=False),
        Wording(text="An I/O error occurred while sending to the backend.", kind="connection_lost", sqlstate="08006"),
        Wording(text="This connection has been closed.", kind="connection_lost", sqlstate="08003"),
        Wording(text="This statement has been closed.", kind="other", own=False),
        Wording(text="The server requested {} authentication, but no password was provided.", kind="authentication"),
        Wording(
            text="The server requested password-based authentication, but no password was provided{}",
            kind="authentication",
        ),
        Wording(text="The server does not support SSL.", kind="other"),
        Wording(text="No value specified for parameter {}.", kind="other", own=False),
        Wording(text="Bad value for type {} : {}", kind="type_mismatch", own=False),
    ),
    statements=(r"Batch entry \d+ (?P<sql>(?:.|\n){1,20000}?) was aborted",),
    frames=("org.postgresql.",),
    # https://jdbc.postgresql.org/documentation/query/prepared-statements/, "autosave"
    stale=(
        "prepares it anew by itself; inside a transaction that one fails: set autosave=conservative or "
        "prepareThreshold=0, or evict the pool's connections"
    ),
)
