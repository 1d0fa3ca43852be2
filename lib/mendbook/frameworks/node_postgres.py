"""node-postgres: the driver `pg` and its pool, under most of the ORMs for Node.js."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="node-postgres",
    title="node-postgres",
    home="https://node-postgres.com/ and lib/client.js, lib/query.js, pg-pool/index.js of brianc/node-postgres",
    marks=(
        "node_modules/pg/",
        "node_modules/pg-pool/",
        "node_modules/pg-protocol/",
        "node_modules\\pg\\",
        "pg-native",
        "NodePg",
    ),
    shapes=(
        r"length: \d+,\s+(?:name: '\w+',\s+)?severity: '[A-Z]+'",
        r"\"length\":\s?\d+,\s*\"name\":\s?\"error\"",
        r"\brejected> error: ",
    ),
    introductions=(r"(?<![\w.])error: (?=[^\n]{1,500}\n\s{1,20}at [^\n]{0,300}?node_modules.pg)",),
    hints=(r"(?:^|: |\] )error: [^\n]+", r"\bcode: '[0-9A-Z]{5}'", r"\"code\":\s?\"[0-9A-Z]{5}\""),
    wordings=(
        Wording(text="timeout exceeded when trying to connect", kind="pool_exhausted"),
        Wording(text="Cannot use a pool after calling end on the pool", kind="pool_closed"),
        Wording(text="Called end on pool more than once", kind="pool_closed"),
        Wording(text="Client was closed and is not queryable", kind="pool_closed"),
        Wording(text="Client has already been connected. You cannot reuse a client.", kind="other"),
        Wording(text="Client has encountered a connection error and is not queryable", kind="connection_lost"),
        Wording(text="Connection terminated unexpectedly", kind="connection_lost"),
        Wording(text="Connection terminated due to connection timeout", kind="connection_refused"),
        Wording(text="Connection terminated", kind="connection_lost", own=False),
        Wording(text="Query read timeout", kind="statement_timeout"),
        Wording(text="SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", kind="authentication"),
        Wording(text="SASL: SCRAM-SERVER-FIRST-MESSAGE: {}", kind="authentication"),
        Wording(text="The server does not support SSL connections", kind="other"),
        Wording(text="There was an error establishing an SSL connection", kind="connection_refused"),
    ),
    codes={
        "ECONNREFUSED": "connection_refused",
        "ENOTFOUND": "connection_refused",
        "ETIMEDOUT": "connection_refused",
        "ECONNRESET": "connection_lost",
    },
    # packages/pg/lib/query.js: only a query with a name is prepared, and what was parsed is never forgotten
    stale=("fails each time on that client, where the query has a name: end the pool's clients, or leave the name out"),
)
