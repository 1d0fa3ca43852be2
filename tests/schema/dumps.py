"""What pg_dump says of a schema, without what is meant to differ: the order of columns, and the tokens of a dump."""

from __future__ import annotations

import difflib
import re
import subprocess

from mendbook import embedded
from mendbook.schema.clone import Clone


def tool(name: str) -> str:
    """A client program of the newest PostgreSQL that is here: those of older ones cannot read newer servers."""
    return next(str(path / name) for path in reversed(embedded.majors().values()) if (path / name).exists())


def difference(one: Clone, two: Clone) -> str:
    """What the dumps of two databases differ in; empty where they are equal."""
    return "\n".join(difflib.unified_diff(_lines(one), _lines(two), n=0, lineterm=""))


def _lines(place: Clone) -> list[str]:
    done = subprocess.run(
        [tool("pg_dump"), "--schema-only", "--no-owner", "-d", place.server.conninfo(place.database)],
        capture_output=True,
        text=True,
        check=True,
    )
    text = re.sub(r"^(--.*|\\(un)?restrict .*)\n", "", done.stdout, flags=re.MULTILINE)
    # A column that was added stands at the end.
    text = re.sub(r"(^CREATE (?:UNLOGGED |FOREIGN )?TABLE [^\n]* \(\n)(.*?)(^\))", _sorted, text, flags=re.M | re.S)
    lines = [line for line in text.splitlines() if line]
    comments = sorted(line for line in lines if line.startswith("COMMENT ON COLUMN "))  # in the order of the columns
    return [*(line for line in lines if line not in comments), *comments]


def _sorted(found: re.Match[str]) -> str:
    return found[1] + "\n".join(sorted(line.rstrip(",") for line in found[2].splitlines())) + "\n" + found[3]
