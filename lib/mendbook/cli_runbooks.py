"""The commands of an author: list, show, check, try and start runbooks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mendbook import cli_run
from mendbook.errors import BadRunbook, Usage


def add(commands: Any) -> None:
    """Add the group and its actions."""
    group = commands.add_parser("runbooks", help="list, show, check, try and start runbooks").add_subparsers(
        required=True, metavar="ACTION"
    )
    for name, action, what, argument in (
        ("list", _list, "every runbook", None),
        ("show", _show, "one runbook, as people read it", "a runbook's name or folder"),
        ("check", _check, "what is wrong with a folder, with file and line", "a runbook's name or folder"),
        ("test", _test, "take a runbook through everything, on databases of its own", "a runbook's name or folder"),
        ("schema", _schema, "the JSON Schema of runbook.yaml", None),
        ("new", _new, "start a new runbook in ./runbooks", "its name, such as orders-total"),
    ):
        command = group.add_parser(name, help=what)
        if argument:
            command.add_argument("runbook", help=argument)
        if name == "test":
            command.add_argument("--option", default="", metavar="O", help="this option alone (default: all offered)")
        if name == "new":
            command.add_argument("--from-error", default="", metavar="FILE", help="make it from this error text")
            command.add_argument(
                "--target", default="", metavar="T", help="and the schema of the tables concerned here"
            )
            command.add_argument("-p", dest="values", action="append", default=[], metavar="NAME=VALUE", help="a value")
        command.set_defaults(run=action, json=False)


def _list(parsed: argparse.Namespace) -> int:
    from mendbook import render, runbook

    rows = []
    for slug, folder in runbook.catalogue().items():
        wrong = runbook.problems(folder)
        rows.append((slug, f"{wrong[0]}" if wrong else runbook.load(folder).text.title))
    render.print_table(("runbook", "incident"), rows)
    return 0


def _show(parsed: argparse.Namespace) -> int:
    from mendbook import runbook

    print(runbook.find(parsed.runbook))
    return 0


def _check(parsed: argparse.Namespace) -> int:
    from mendbook import runbook

    known = runbook.catalogue()
    folder = known.get(parsed.runbook, Path(parsed.runbook))
    wrong = runbook.problems(folder)
    for each in wrong:
        print(each, file=sys.stderr)
    if not wrong:
        print(f"{folder} is a valid runbook.")
    return 2 if wrong else 0


def _test(parsed: argparse.Namespace) -> int:
    from mendbook import render, runbook, trial

    book = runbook.find(parsed.runbook)
    offered = [option.id for option in book.text.options if option.advice != "not_offered"]
    held = True
    for option in [book.option(parsed.option).id] if parsed.option else offered:
        found = []
        for each in trial.checks(book, option):
            found.append(("yes" if each.held else "no", each.title, each.said))
            held = held and each.held
        render.print_table(("", f"{book.slug}, option {option}", ""), found, marks={"yes": "good", "no": "bad"})
        print()
    if not held:
        raise BadRunbook(f"{book.slug} does not do yet what a runbook does. Mend what is said above, then try again.")
    print(f"{book.slug} does what a runbook does.")
    return 0


def _schema(parsed: argparse.Namespace) -> int:
    from mendbook import runbook

    print(json.dumps(runbook.schema(), indent=2))
    return 0


def _new(parsed: argparse.Namespace) -> int:
    from mendbook import authoring

    if parsed.from_error:
        return _draft(parsed)
    folder = authoring.start(parsed.runbook, Path("runbooks"))
    print(f"{folder} is a runbook that works. Change it into yours, and try it with: mendbook runbooks test {folder}")
    return 0


def _draft(parsed: argparse.Namespace) -> int:
    from mendbook import drafting
    from mendbook.symptom import referral

    if not parsed.target:
        raise Usage("--from-error wants the database that it happened on; nothing was made. Name it with --target.")
    text, values = referral.read(parsed.from_error), cli_run.values(parsed)
    made = drafting.make(parsed.runbook, Path("runbooks"), text=text, target=parsed.target, values=values)
    if made.missing:
        print(f"{made.folder} is begun, and this is missing:\n" + "\n".join(f"  {each}" for each in made.missing))
        return 2
    print(f"{made.folder} is a runbook that goes through everything. Read it, and say in it what happened.")
    return 0
