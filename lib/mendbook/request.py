"""A Request: a call that can be understood, before anything is opened; and the folder and record that it begins."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mendbook import __version__, formats
from mendbook import runbook as runbooks
from mendbook import target as targets
from mendbook.errors import Usage
from mendbook.runbook import Runbook
from mendbook.runbook_text import Ledger, Migrations, Option, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One runbook with its values and option, for one target."""

    runbook: Runbook
    option: Option
    values: Mapping[str, Value]
    target: str  # the reference
    error: str = ""  # what was pasted; empty: the runbook's own
    expected_database: str = ""  # empty: any
    allow_dangerous: bool = False
    migrations: str = ""  # the application's folder of migrations, for which the fix is written too; empty: it is not
    framework: str = ""  # whose they are
    record: bool = False  # whether the plan records the new migration in the ledger

    def first_record(self, folder: Path) -> dict[str, Any]:
        """What the record of the incident in *folder* holds at its beginning."""
        return {
            "format": 1,
            "mendbook": __version__,
            "id": folder.name,
            "runbook": self.runbook.slug,
            "runbook_folder": str(self.runbook.folder),
            "text": self.runbook.text.model_dump(mode="json", by_alias=True),
            "target": self.target,
            "expected_database": self.expected_database,
            "values": dict(self.values),
            "option": self.option.id,
            "allow_dangerous": self.allow_dangerous,
            "lasting": {"migrations": self.migrations, "framework": self.framework, "record": self.record},
            "error": self.error or self.runbook.error,
            "who": who(),
            "when": now(),
            "verdict": "not diagnosed yet",
            "exit_code": 1,
            "digest": "",
            "stages": {},
            "history": [],
        }


def understand(
    *,
    runbook: str,
    target: str,
    values: Mapping[str, object],
    option: str,
    error: str = "",
    expected_database: str = "",
    allow_dangerous: bool = False,
    migrations: str = "",
    framework: str = "",
    record: bool = False,
) -> Request:
    """Check a call without connecting anywhere; raises `Usage`."""
    if not runbook:
        raise Usage("No runbook was named, and no error text that leads to one; nothing was started. Name either.")
    found = runbooks.find(runbook)
    request = Request(
        runbook=found,
        option=found.option(option),
        values=found.values(values),
        target=target,
        error=error,
        expected_database=expected_database,
        allow_dangerous=allow_dangerous,
        migrations=str(Path(migrations).expanduser().resolve()) if migrations else "",
        framework=framework,
        record=record,
    )
    _check_lasting(request)
    if not target:
        raise Usage("No target was named; nothing was started. Name one with --target, such as env:DATABASE_URL.")
    targets.resolve(target)
    return request


def _check_lasting(request: Request) -> None:
    """Raise `Usage` for a migration that cannot be written."""
    if bool(request.migrations) != bool(request.framework) or (request.record and not request.framework):
        raise Usage(
            "A migration is written for a folder of a framework; nothing was started. Name both, with --migrations and "
            "--framework."
        )
    if request.framework:
        formats.of(request.framework)
        if not Path(request.migrations).is_dir():
            raise Usage(
                f"{request.migrations} is no directory; nothing was started. Name the folder that holds the migrations."
            )
    own = any(isinstance(step, Migrations | Ledger) for step in request.option.steps)
    if request.framework and own:
        raise Usage(
            f"The option {request.option.id} runs or records the application's own migrations, so it needs no new one; "
            f"nothing was started. Leave --migrations out."
        )


def new_folder(incidents: Path, slug: str) -> Path:
    """Make a new folder below *incidents*, named by the time and the runbook; raises `Usage` where that fails."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
        path = incidents / f"{stamp}-{slug}{suffix}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise Usage(f"{incidents} cannot hold a new folder ({error}); nothing was started.") from None
        return path
    raise Usage(f"{incidents} holds a thousand incidents of this second; nothing was started.")


def who() -> str:
    """The user of this process, as the record names them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
