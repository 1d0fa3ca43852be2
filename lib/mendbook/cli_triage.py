"""The commands that read an error or a source tree: triage and sweep. They change nothing anywhere."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mendbook.symptom.referral import Referral

TARGET = "env:NAME (a variable that holds the URL), service:NAME, embedded:NAME, or a URL without a password"
_CERTAINTY = {"stated": "good", "derived": "good", "guessed": "warn"}
_ANSWERS = {"from the text": "good", "for you to say": "warn"}


def add(commands: Any) -> None:
    """Add both commands."""
    command = commands.add_parser("triage", help="say what an error text is about, and which runbook mends it")
    command.add_argument("file", help="the text, as it was pasted; - for standard input")
    command.add_argument("--target", default="", metavar="T", help=f"look for the cause here: {TARGET}")
    command.add_argument("--source", default="", metavar="DIR", help="judge the SQL of this source tree on the target")
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=_triage)
    command = commands.add_parser("sweep", help="find the SQL of a source tree and have a database judge it")
    command.add_argument("directory", help="the source tree")
    command.add_argument("--target", required=True, metavar="T", help=TARGET)
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=_sweep)


def _triage(parsed: argparse.Namespace) -> int:
    from mendbook.symptom import referral

    found = referral.refer(referral.read(parsed.file), target=parsed.target, source=parsed.source)
    command = found.command(parsed.target, "" if parsed.file == "-" else parsed.file)
    if parsed.json:
        print(json.dumps({**found.to_json(), "next": command or None}, ensure_ascii=False))
    else:
        _print(found, command)
    return 3 if found.diagnosis.is_postgres else 4


def _print(found: Referral, command: str) -> None:
    from mendbook import render

    if not found.diagnosis.is_postgres:
        print("This is no error of PostgreSQL's, as far as the text tells.")
        return
    render.print_table(("", "what the text says", ""), found.facts(), marks=_CERTAINTY)
    for each in found.others():
        print(f"also in the text: {each}")
    sections = (("What the server remembers", found.memory), ("The target", found.proof))
    for heading, noun in (*sections, ("The source tree", found.sweep)):
        if noun is not None:
            print(f"\n{heading}\n\n{noun}")
    print("\nRunbooks\n")
    if found.rows():
        render.print_table(("", "runbook", "why"), found.rows(), marks={"fits": "good"})
    if found.best is None:
        ask = "" if found.proof else " With --target, the database is asked for the cause."
        print(f"No runbook is for this error.{ask}")
        return
    if found.answers():
        print(f"\nThe values of {found.best.runbook.slug}\n")
        render.print_table(("", "parameter", "value"), found.answers(), marks=_ANSWERS)
    if found.proof and not found.mends:
        print(f"\n{found.best.runbook.slug} would not mend that cause, so it is not the next step.")
    if command:
        print(f"\nNext:\n{command}")


def _sweep(parsed: argparse.Namespace) -> int:
    from mendbook.symptom import referral, sweep
    from mendbook.target import open_target

    found = sweep.find(parsed.directory)
    target, _ = open_target(parsed.target)
    with target.reading() as conn:
        judged = sweep.judge(conn, found)
    print(json.dumps(referral.sweep_json(judged), ensure_ascii=False) if parsed.json else judged)
    return 3 if judged.failures else 0
