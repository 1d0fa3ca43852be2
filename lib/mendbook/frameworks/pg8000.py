"""pg8000, the driver in pure Python."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pg8000",
    title="pg8000",
    home="https://github.com/tlocke/pg8000: pg8000/core.py",
    marks=("pg8000",),
    shapes=(r"\{'S': '[^'\n]+', 'V': '[A-Z]+', 'C': '", r"\('[A-Z]+', '[A-Z]+', '[0-9A-Z]{5}', "),
    wordings=(
        Wording(
            text="Can't create a connection to host {} and port {} (timeout is {} and source_address is {}).",
            kind="connection_refused",
        ),
        Wording(text="network error", kind="connection_lost", own=False),
        Wording(text="connection is closed", kind="connection_lost", own=False),
    ),
)
