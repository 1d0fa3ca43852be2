"""Start a new runbook: a small one that works, for its author to change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mendbook.errors import Usage

_RUNBOOK = """\
title: orders has no shipped_at column
summary: The application stamps orders when they ship, and the table has no column for it.
root_cause: The migration that adds the column did not run on this database.
impact:
  - Orders cannot be marked as shipped.
severity: high
risk: low
downtime: none

before:
  - 'column "shipped_at" of relation "orders" does not exist'
after:
  - Orders are marked as shipped.

symptoms:
  - kind: missing_column
    sqlstate: "42703"
    names: [shipped_at, orders]

statements:
  - id: ship-order
    at: app/orders.py:12
    sql: UPDATE orders SET shipped_at = now() WHERE id = $1

options:
  - id: add-column
    title: Add the column
    advice: recommended
    pros: [It takes a moment, whatever the size of the table.]
    cons: [Orders that shipped before have no time.]
    steps:
      - sql: ALTER TABLE orders ADD COLUMN shipped_at timestamptz
    expects:
      - {table: orders, column: shipped_at, type: timestamp with time zone}
    exercises:
      - title: An order ships
        statements:
          - {sql: INSERT INTO orders DEFAULT VALUES, rows: 1}
          - {sql: UPDATE orders SET shipped_at = now() WHERE shipped_at IS NULL}
"""

_BROKEN = """\
-- A database that has the incident.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed_at timestamptz NOT NULL DEFAULT now()
);
"""

_HEALTHY = """\
-- A database that does not have it.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed_at timestamptz NOT NULL DEFAULT now(),
    shipped_at timestamptz
);
"""

_ERROR = """\
psycopg.errors.UndefinedColumn: column "shipped_at" of relation "orders" does not exist
LINE 1: UPDATE orders SET shipped_at = now() WHERE id = $1
                          ^
"""

_FILES = {"runbook.yaml": _RUNBOOK, "broken.sql": _BROKEN, "healthy.sql": _HEALTHY, "error.txt": _ERROR}


def start(name: str, place: Path) -> Path:
    """Make the folder *name* below *place* with a runbook that works; raises what `begin` raises."""
    return begin(name, place, _FILES)


def begin(name: str, place: Path, files: Mapping[str, str]) -> Path:
    """Make the folder *name* below *place* with its *files*; raises `Usage` for a bad name or a folder that exists."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise Usage(
            f"{name!r} is no name for a runbook; nothing was made. Use small letters, digits and single hyphens."
        )
    folder = place / name
    try:
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    except FileExistsError:
        raise Usage(f"{folder} exists already; nothing was changed. Choose another name.") from None
    except OSError as error:
        raise Usage(f"{folder} cannot be made ({error}). Make the directory writable.") from None
    return folder
