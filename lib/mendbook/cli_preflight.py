"""The command for CI before a deploy: preflight. It changes nothing anywhere."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mendbook import cli_run, cli_triage
from mendbook.errors import Surroundings, Usage

if TYPE_CHECKING:
    from mendbook.report import Report
    from mendbook.run.notebooks import Run

_SUMMARY = "GITHUB_STEP_SUMMARY"


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "preflight",
        help="before a deploy: hold an application's statements, schema and migrations against a database",
        description="Ends with 0 where nothing fails, and with 3 where a statement fails, where the database lacks "
        "what the schema should have, or where a migration is neither applied nor pending. At least one of --source, "
        "--expect and --migrations is asked for. What pending migrations will mend does not fail.",
    )
    command.add_argument("--target", required=True, metavar="T", help=cli_triage.TARGET)
    command.add_argument("--source", default="", metavar="DIR", help="judge the SQL of this source tree")
    command.add_argument("--expect", default="", metavar="E", help="what states the schema: alembic:DIR, sql:FILE, …")
    command.add_argument("--migrations", default="", metavar="DIR", help="the application's folder of migrations")
    command.add_argument("--framework", default="", metavar="NAME", help="whose they are (default: the ledger tells)")
    command.add_argument("--output", default="preflight", metavar="DIR", help="where the folder is made (%(default)s)")
    command.add_argument("--junit", default="", metavar="FILE", help="write JUnit XML here")
    command.add_argument("--github-summary", action="store_true", help=f"add the result to the file in {_SUMMARY}")
    cli_run.add(command)
    command.set_defaults(run=_preflight)


def _preflight(parsed: argparse.Namespace) -> int:
    from mendbook import preflight, report, request

    names = ("target", "source", "expect", "migrations", "framework")
    asked = {name: getattr(parsed, name) for name in names}
    question = preflight.Question(**asked)
    preflight.understand(question)
    summary = _summary() if parsed.github_summary else None
    folder = request.new_folder(Path(parsed.output), "preflight")
    ended = cli_run.run(parsed, "preflight", folder, {**asked, "folder": str(folder)})
    made = _report(question.title, folder, ended)
    _write(parsed.junit, summary, made)
    if parsed.json:
        said = {**report.to_json(made), "target": parsed.target, "preflight": str(folder)}
        print(json.dumps(said, ensure_ascii=False))
    else:
        _print(made, ended)
    return made.exit_code


def _summary() -> Path:
    """The file that GitHub shows on the job's page; raises `Usage` where there is none."""
    if not os.environ.get(_SUMMARY):
        raise Usage(
            f"--github-summary wants the file that GitHub names in {_SUMMARY}, which is not set; nothing was started. "
            f"Leave it out outside of GitHub Actions."
        )
    return Path(os.environ[_SUMMARY])


def _report(title: str, folder: Path, ended: Run) -> Report:
    """How it ended, from the record that it left."""
    from mendbook import report

    if ended.completed:
        return report.load((folder / "record.json").read_text(encoding="utf-8"))
    return report.Report(
        title=title, identity=(), checks=(), error=ended.message or ended.error, error_code=ended.exit_code
    )


def _write(junit: str, summary: Path | None, made: Report) -> None:
    """Write the files that were asked for; raises `Surroundings`."""
    from mendbook import report

    try:
        if junit:
            Path(junit).write_text(report.junit(made), encoding="utf-8")
        if summary:
            with summary.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(report.markdown(made))
    except OSError as error:
        raise Surroundings(
            f"{error.filename} cannot be written ({error.strerror}), so not all that was asked for is there; what "
            f"the checks found is: {made.verdict}. Name a file that can be written."
        ) from None


def _print(made: Report, ended: Run) -> None:
    from mendbook import render, report

    if made.identity:
        print(render.facts_text(made.identity), end="\n\n")
    for check in made.checks:
        if check.findings:
            print(f"{check.name.capitalize()}\n")
            render.print_table(check.head, check.rows(), marks=check.marks)
            print()
        for note in check.notes:
            print(f"{note}\n")
        if check.next:
            print(f"Next: {check.next}\n")
    if made.checks:
        render.print_table(report.HEAD, made.rows(), marks=report.MARKS)
        print()
    print(f"{made.verdict}\n\nrecord: {ended.notebook}")
