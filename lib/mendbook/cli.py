"""The command line: parses, calls, prints, exits. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mendbook import __version__, cli_diff, cli_preflight, cli_run, cli_runbooks, cli_triage
from mendbook.errors import MendbookError, Usage

if TYPE_CHECKING:
    from mendbook.run.notebooks import Run

EXIT_CODES = (
    (0, "healthy, or fixed and verified"),
    (1, "an error of the program or its surroundings"),
    (2, "wrong usage: unknown parameter, bad runbook, unreadable target"),
    (3, "incident found; a plan is ready (nothing was changed)"),
    (4, "refused: not this incident, wrong target, no or another approval, a schema that moved since the plan"),
    (5, "apply failed; what was done is undone or named exactly"),
    (6, "applied, and not verified"),
    (7, "the lock was not obtained in the time allowed; nothing changed"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of any alphabet, on any terminal
    parsed = parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
    except MendbookError as error:
        return _refuse(parsed, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _refuse(parsed, "Stopped.", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    codes = "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES)
    top = argparse.ArgumentParser(
        prog="mendbook",
        description="Incident runbooks for PostgreSQL: from the pasted error to the documented fix.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mendbook {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    cli_triage.add(commands)
    _add_diagnose(commands)
    cli_preflight.add(commands)
    cli_diff.add(commands)
    _add_change(commands, "repair", "apply an approved plan, verify and document it")
    _add_change(commands, "rollback", "take an applied plan back and verify that")
    cli_runbooks.add(commands)
    _add_lab(commands)
    return top


Commands = Any  # argparse's own type for this is private


def _add_demo(commands: Commands) -> None:
    command = commands.add_parser("demo", help="see the built-in incidents broken, diagnosed, fixed and documented")
    command.add_argument("runbook", nargs="*", help="only these (default: all that ship with Mendbook)")
    command.add_argument("--incidents", default="incidents", metavar="DIR", help="where the documents go (%(default)s)")
    command.set_defaults(run=_demo, json=False)


def _add_diagnose(commands: Commands) -> None:
    command = commands.add_parser("diagnose", help="find out whether a database has an incident, and prepare its fix")
    command.add_argument(
        "runbook", nargs="?", default="", help="a runbook's name or folder (default: the one that --error leads to)"
    )
    command.add_argument("--target", required=True, metavar="T", help=cli_triage.TARGET)
    command.add_argument("--error", default="", metavar="FILE", help="the error text, which gives values; - for input")
    command.add_argument(
        "--expect", default="", metavar="E", help="plan from what states the schema, such as alembic:DIR or sql:FILE"
    )
    command.add_argument("-p", dest="values", action="append", default=[], metavar="NAME=VALUE", help="a parameter")
    command.add_argument("--option", default="", metavar="O", help="plan this option (default: the recommended one)")
    command.add_argument("--expected-database", default="", metavar="NAME", help="refuse any other database")
    command.add_argument(
        "--incidents", default="incidents", metavar="DIR", help="where the folder is made (%(default)s)"
    )
    command.add_argument("--migrations", default="", metavar="DIR", help="write the fix as a migration for this folder")
    command.add_argument("--framework", default="", metavar="NAME", help="of this tool, such as prisma or alembic")
    command.add_argument(
        "--record", action="store_true", help="and let the plan record it as done in the tool's ledger"
    )
    command.add_argument("--allow-dangerous", action="store_true", help="plan even what blocks long or loses data")
    cli_run.add(command)
    command.set_defaults(run=_diagnose)


def _add_change(commands: Commands, name: str, what: str) -> None:
    command = commands.add_parser(name, help=what)
    command.add_argument("folder", help="the incident's folder")
    command.add_argument("--approve", default="", metavar="DIGEST", help="the digest of the plan that you have read")
    command.add_argument("--expected-database", default="", metavar="NAME", help="refuse any other database")
    command.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="go on asking for locks (%(default)s)"
    )
    cli_run.add(command)
    command.set_defaults(run=_change, notebook=name)


def _add_lab(commands: Commands) -> None:
    command = commands.add_parser("lab", help="open the notebooks in JupyterLab")
    command.add_argument("--incidents", default="incidents", metavar="DIR", help="where the working copy is made")
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.set_defaults(run=_lab, json=False)


# ---- diagnose, repair, rollback


def _diagnose(parsed: argparse.Namespace) -> int:
    from mendbook import request

    values: dict[str, object] = cli_run.values(parsed)
    runbook, error = parsed.runbook, ""
    if parsed.expect:
        from mendbook.schema import expectation

        runbook = runbook or "schema-drift"
        values["expect"] = expectation.absolute(parsed.expect)
    if parsed.error:
        from mendbook.symptom import referral

        text = referral.read(parsed.error)
        runbook, values = referral.choose(text, runbook=runbook, values=values)
        error = referral.excerpt(text)
    lasting = {"migrations": parsed.migrations, "framework": parsed.framework, "record": parsed.record}
    asked = request.understand(runbook=runbook, target=parsed.target, values=values, option=parsed.option, **lasting)
    folder = request.new_folder(Path(parsed.incidents), asked.runbook.slug)
    given = {
        "runbook": str(asked.runbook.folder),
        "error": error,
        "target": parsed.target,
        "values": values,
        "option": parsed.option,
        "expected_database": parsed.expected_database,
        "folder": str(folder),
        "allow_dangerous": parsed.allow_dangerous,
        **lasting,
    }
    return _report(parsed, folder, cli_run.run(parsed, "diagnose", folder, given))


def _change(parsed: argparse.Namespace) -> int:
    folder = Path(parsed.folder)
    if not (folder / "record.json").is_file():
        raise Usage(
            f"{folder} is no incident folder; nothing was started. Name the folder that mendbook diagnose printed."
        )
    given = {
        "folder": str(folder),
        "approve": parsed.approve,
        "expected_database": parsed.expected_database,
        "wait": parsed.wait,
    }
    return _report(parsed, folder, cli_run.run(parsed, parsed.notebook, folder, given))


def _report(parsed: argparse.Namespace, folder: Path, ended: Run) -> int:
    """Print how a run ended, from the record that it left."""
    from mendbook.stages import document

    record = document.load(folder) if (folder / "record.json").exists() else {}
    if not ended.completed:
        record.update(verdict=ended.message or ended.error, exit_code=ended.exit_code)
    code = int(record["exit_code"])
    answer = {
        "verdict": record["verdict"],
        "exit_code": code,
        "digest": record.get("digest") or None,
        "incident": str(folder),
        "target": record.get("target"),
        "runbook": record.get("runbook"),
        "option": record.get("option"),
        "next": record.get("next") or None,
    }
    if parsed.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _print_record(record, folder, ended)
    return code


def _print_record(record: dict[str, Any], folder: Path, ended: Run) -> None:
    from mendbook import render

    if record.get("identity"):
        print(render.facts_text([("target", record["target"]), *map(tuple, record["identity"])]), end="\n\n")
    if ended.completed:
        for head, rows, marks in _tables(record):
            render.print_table(head, rows, marks=marks)
            print()
    print(record["verdict"])
    if record.get("next") and ended.completed:
        print(f"\n{record['next']}{_where()}")
    print(f"\nrecord: {ended.notebook}")
    if record.get("migration"):
        print(f"migration: {folder / 'migration'}")
    if (folder / "fix.html").exists():
        print(f"document: {(folder / 'fix.html').resolve().as_uri()}")


def _where() -> str:
    """Say where the command is, if typing its name would not find it."""
    own = Path(sys.argv[0])
    return "" if shutil.which("mendbook") or own.name != "mendbook" else f"\n(mendbook is {own})"


def _tables(record: dict[str, Any]) -> list[tuple[tuple[str, ...], list[Any], dict[str, str]]]:
    last = record.get("rolled_back") or record.get("verification")
    if last is None:
        statements = [[o["verdict"], o["at"], o["said"]] for o in record["reproduction"]]
        return [
            (("", "place", "PostgreSQL says"), statements, {"fails": "bad", "passes": "good"}),
            (("step", "what", "lock", "loses", "undo"), record["plan"]["rows"], {}),
        ]
    return [(("", "on the target", ""), last["checks"], {"yes": "good", "no": "bad"})]


def _refuse(parsed: argparse.Namespace, message: str, code: int) -> int:
    from mendbook.redaction import scrub

    if parsed.json:
        answer = {"verdict": scrub(message), "exit_code": code, "digest": None, "incident": None, "target": None}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(scrub(message), file=sys.stderr)
    return code


# ---- demo, lab


def _demo(parsed: argparse.Namespace) -> int:
    from mendbook.run import demo

    code = demo.run(parsed.runbook, Path(parsed.incidents))
    print(_where().strip())
    return code


def _lab(parsed: argparse.Namespace) -> int:
    from mendbook.run import lab

    lab.run(Path(parsed.incidents), browser=not parsed.no_browser)


if __name__ == "__main__":
    sys.exit(main())
