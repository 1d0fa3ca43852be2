"""PgBouncer, the connection pooler between application and server."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pgbouncer",
    title="PgBouncer",
    home="https://www.pgbouncer.org/config.html and src/client.c, src/objects.c of pgbouncer/pgbouncer",
    shapes=(r"\b[CS]-0x[0-9a-f]{6,}: ", r"\bpgbouncer(?:\[\d+\]|-\w+ +\|)", r"\bpgbouncer cannot\b"),
    wordings=(
        Wording(text="query_wait_timeout", kind="pool_exhausted", own=False),
        Wording(text="no more connections allowed (max_client_conn)", kind="pool_exhausted"),
        Wording(text="client_login_timeout (server down)", kind="connection_refused"),
        Wording(text="client_idle_timeout", kind="connection_lost", own=False),
        Wording(text="query_timeout", kind="statement_timeout", own=False),
        Wording(text="idle_transaction_timeout", kind="connection_lost", own=False),
        Wording(text="pgbouncer cannot connect to server", kind="connection_refused"),
        Wording(text="server conn crashed?", kind="connection_lost"),
        Wording(text="server_lifetime", kind="other", own=False),
        Wording(text="no such database: {database}", kind="missing_database", own=False),
        Wording(text="no such user: {role}", kind="authentication", own=False),
        Wording(text="SASL authentication failed", kind="authentication", own=False),
        Wording(text="bouncer config error", kind="other"),
        Wording(text="unsupported startup parameter: {}", kind="other"),
    ),
)
