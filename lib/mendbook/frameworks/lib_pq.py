"""lib/pq, the older driver for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="lib-pq",
    title="lib/pq",
    home="https://github.com/lib/pq: error.go, conn.go",
    marks=("github.com/lib/pq", "lib/pq@", "pq.Error"),
    shapes=(r"(?:^|[\s\"'`:(=])pq: ",),
    introductions=(r"(?:^|[\s\"'`:(=])pq: ",),
    wordings=(
        Wording(text="pq: SSL is not enabled on the server", kind="other"),
        Wording(text="pq: got {} parameters but the statement requires {}", kind="other"),
        Wording(text="driver: bad connection", kind="connection_lost", own=False),
        Wording(text="sql: database is closed", kind="pool_closed", own=False),
        Wording(text="dial tcp {}:5432: connect: connection refused", kind="connection_refused"),
        Wording(text="dial tcp {}: connect: connection refused", kind="connection_refused", own=False),
    ),
)
