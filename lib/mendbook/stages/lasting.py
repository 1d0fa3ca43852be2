"""A fix that lasts: the migration that says to the application's own tool what a plan does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from mendbook import formats, ledger
from mendbook.errors import Refused
from mendbook.formats import Change, Format
from mendbook.ledger import Ledger
from mendbook.migrations import Migration
from mendbook.schema import records
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.stages import edits, history, repeatable
from mendbook.target import Identity

_LONGEST = 60  # characters of a migration's title


@dataclass(frozen=True, kw_only=True, slots=True)
class Lasting:
    """The migrations that make a plan's steps last."""

    framework: str
    files: Mapping[str, str]  # the text of each file, by its path in the folder of migrations
    migrations: tuple[Migration, ...]  # as the tool will find them in that folder, in order
    before: tuple[Migration, ...]  # those that are there already


def to_json(lasting: Lasting) -> dict[str, Any]:
    """What the record keeps of it."""
    return {"framework": lasting.framework, "files": dict(lasting.files)}


def make(steps: Iterable[Step], *, framework: str, folder: Path, at: datetime | None = None) -> Lasting:
    """Write what stays of *steps* as *framework* wants a migration for its *folder*; nothing is written to the disk.

    Raises `Usage` for a framework whose format is not known, `Refused` where the migrations that are there allow no
    new one.
    """
    form, kept = formats.of(framework), ledger.of(framework)
    before = kept.migrations(folder)
    start = at or datetime.now(UTC).replace(microsecond=0)
    made: dict[str, str] = {}
    migrations: list[Migration] = []
    for number, part in enumerate(_parts([step for step in steps if not step.passing], form)):
        change = _change(part, folder, (*before, *migrations), start + timedelta(seconds=number))
        files = form.files(change)
        made |= files
        migrations += _parsed(kept, folder, files, (*before, *migrations))
    return Lasting(framework=framework, files=made, migrations=tuple(migrations), before=tuple(before))


def save(lasting: Lasting, folder: Path) -> None:
    """Write the files into *folder*; raises `Usage` where other files of these names are there."""
    for path, text in lasting.files.items():
        edits.run(edits.write(folder, path, text))


def recorded(conn: psycopg.Connection[Any], lasting: Lasting, live: Snapshot, identity: Identity) -> Iterator[Step]:
    """The steps that record the migrations as done, so that the next deploy runs none of them.

    Raises `Refused` where there is no ledger, or something is pending: what is recorded after it would hide it.
    """
    found = records.read(conn, live, identity, ledger.of(lasting.framework))
    if not found.exists:
        raise Refused(
            f"There is no ledger {found.table}, so nothing can be recorded in it; nothing was changed. Let "
            f"{lasting.framework} make it, or diagnose without --record."
        )
    done = found.ledger.done(found.entries, lasting.before)
    pending = [each.title for each in lasting.before if each.name not in done]
    if pending:
        raise Refused(
            f"Migrations are pending on this database ({', '.join(pending[:3])}), and a record of a newer one would "
            f"hide them; nothing was changed. Run them first, or diagnose without --record."
        )
    for migration in lasting.migrations:
        yield history.recorded(found, migration, lasting.framework)


def _parts(steps: Iterable[Step], form: Format) -> list[list[Step]]:
    """The steps of each migration: where a file is sent as a whole, what cannot run in a transaction stands alone."""
    parts: list[list[Step]] = []
    for step in (piece for each in steps for piece in _pieces(each)):
        together = not form.alone or (parts and Transaction.NONE not in (step.transaction, parts[-1][-1].transaction))
        if parts and together:
            parts[-1].append(step)
        else:
            parts.append([step])
    return parts


def _pieces(step: Step) -> Iterator[Step]:
    """A step whose first statement cannot run in a transaction, without what follows that statement."""
    first, rest = step.forward[:1], step.forward[1:]
    if step.transaction is not Transaction.NONE or not rest:
        yield step
        return
    yield replace(step, forward=first)
    yield replace(step, forward=rest, undo=(), transaction=Transaction.SHARED)


def _change(steps: list[Step], folder: Path, before: tuple[Migration, ...], at: datetime) -> Change:
    place = before[-1].path.parent.relative_to(folder).as_posix() if before else "."
    return Change(
        title=_title(steps[0].title),
        at=at,
        forward=tuple(repeatable.form(each) for step in steps for each in step.forward),
        backward=tuple(repeatable.form(each) for step in reversed(steps) for each in step.undo),
        transaction=all(step.transaction is not Transaction.NONE for step in steps),
        before=before,
        folder="" if place == "." else f"{place}/",
    )


def _title(said: str) -> str:
    words = re.findall(r"[a-z0-9]+", said.lower().replace("public.", ""))
    title = "_".join(words)
    return title if len(title) <= _LONGEST else title[:_LONGEST].rpartition("_")[0]


def _parsed(kept: Ledger, folder: Path, files: Mapping[str, str], before: tuple[Migration, ...]) -> Iterator[Migration]:
    """The migrations as the tool finds them; those of a tool that stands at one version follow the last."""
    for path, text in files.items():
        for migration in kept.layout.parse(folder, folder / path, text):
            follows = migration.follows or (before[-1].name,) if kept.heads and before else migration.follows
            yield replace(migration, follows=follows)
