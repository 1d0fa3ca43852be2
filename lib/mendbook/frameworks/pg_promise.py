"""pg-promise, the promise interface to node-postgres."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pg-promise",
    title="pg-promise",
    home="https://github.com/vitaly-t/pg-promise: lib/",
    over=("node-postgres",),
    marks=("node_modules/pg-promise/", "node_modules\\pg-promise\\"),
    wordings=(
        Wording(text="Connection pool of the database object has been destroyed.", kind="pool_closed"),
        Wording(text="Querying against a released or lost connection.", kind="connection_lost"),
    ),
)
