"""HikariCP, the pool that most applications for the JVM use."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="hikari",
    title="HikariCP",
    home="https://github.com/brettwooldridge/HikariCP: HikariPool.java, HikariDataSource.java",
    over=("jdbc",),
    only=False,
    shapes=(r"\bHikariPool-\d+ - ",),
    wordings=(
        Wording(text="Connection is not available, request timed out after {}ms…", kind="pool_exhausted"),
        Wording(text="HikariDataSource {} has been closed.", kind="pool_closed"),
        Wording(text="Failed to initialize pool: {}", kind="connection_refused", own=False),
    ),
    frames=("com.zaxxer.hikari.",),
)
