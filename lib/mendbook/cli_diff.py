"""The command that compares two schemas. It changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from mendbook.errors import Refused


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "diff",
        help="compare two schemas, and write the SQL that makes them the same",
        description="Each side is a target (env:NAME, service:NAME, embedded:NAME, a URL without a password) or what "
        "states a schema: sql:FILE, migrations:DIR, alembic:DIR, django:DIR, prisma:DIR, sequelize:DIR, … Ends with 0 "
        "where they are the same, and with 3 where they differ.",
    )
    command.add_argument("live", help="the schema as it is")
    command.add_argument("desired", help="the schema as it should be")
    command.add_argument("--format", choices=("text", "sql", "json"), default="text", help="(%(default)s)")
    command.add_argument("--allow-drops", action="store_true", help="drop what exists only in LIVE, with its rows")
    command.add_argument(
        "--only", default="", metavar="SCHEMA.TABLE", help="compare only this relation, type or function"
    )
    command.set_defaults(run=_diff)


def _diff(parsed: argparse.Namespace) -> int:
    from mendbook.schema import snapshot

    parsed.json = parsed.format == "json"
    with snapshot.no_collection():
        return _compare(parsed)


def _compare(parsed: argparse.Namespace) -> int:
    from mendbook.schema import comparison

    found = comparison.make(parsed.live, parsed.desired, only=parsed.only)
    try:
        repair = found.repair(drops=parsed.allow_drops)
    except Refused:
        if parsed.format == "text":
            print(found.drift, file=sys.stderr)
        raise
    if parsed.format == "json":
        print(json.dumps(found.to_json(repair), ensure_ascii=False))
    else:
        print(comparison.text(found, repair) if parsed.format == "text" else found.script(repair))
    return 3 if found.drift else 0
