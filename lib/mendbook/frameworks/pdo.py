"""PHP's PDO with the driver pdo_pgsql, and the older functions `pg_*`."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pdo",
    title="PHP PDO",
    home="https://www.php.net/manual/en/ref.pdo-pgsql.php and ext/pdo_pgsql/pgsql_driver.c",
    only=False,
    marks=(
        "PDOException",
        "PDO::",
        "PDO->",
        "PDOStatement",
        "pg_query()",
        "pg_connect()",
        "pg_execute()",
        "pg_query_params()",
    ),
    shapes=(r"\bSQLSTATE\[[0-9A-Z]{5}\]",),
    wordings=(
        Wording(text="could not find driver", kind="other", own=False),
        Wording(text="General error: 7 no connection to the server", kind="connection_lost"),
        Wording(text="General error: 7 SSL SYSCALL error: EOF detected", kind="connection_lost"),
    ),
)
