"""The history of migrations: which of a runbook's are pending on a target, and how each is recorded as done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from mendbook import ledger
from mendbook.errors import Refused, Usage
from mendbook.migrations import Migration
from mendbook.runbook import Runbook, nearest, plain
from mendbook.runbook_text import Ledger, Migrations, Option, Value
from mendbook.schema import records
from mendbook.schema.locks import Lock
from mendbook.schema.records import Records
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step
from mendbook.target import Identity


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """The migration ledgers of one target."""

    conn: psycopg.Connection[Any]  # to the target, for reading
    live: Snapshot
    identity: Identity
    values: Mapping[str, Value]  # of the runbook's parameters

    def pending(self, runbook: Runbook, step: Migrations | Ledger) -> list[Migration]:
        """What *step* has to record, in order: those of its migrations that are not done.

        Raises `Refused` for a ledger that cannot be read, and for a migration that is a program.
        """
        found = self._records(step)
        if isinstance(step, Ledger):
            return self._named(runbook, step, found)
        folder = self._folder(runbook, step.migrations)
        migrations = found.ledger.migrations(folder)
        done = found.ledger.done(found.entries, migrations)
        for name in found.ledger.lost(found.entries, migrations):
            raise Refused(
                f"{found.table} stands at {name}, which is no migration of {folder}, so it is "
                f"unknown what is pending; nothing was changed. Name the folder that this database was migrated from."
            )
        pending = [each for each in migrations if each.name not in done]
        for each in pending:
            if each.program:
                raise Refused(
                    f"The pending migration {each.name} is a program, so no plan can be made from it; nothing was "
                    f"changed. Run it with {plain(step.framework, self.values)}, then diagnose again."
                )
        return pending

    def claimed(self, runbook: Runbook, option: Option) -> Iterator[list[Migration]]:
        """For each migration that is recorded without being run: the migrations of its folder up to it.

        Raises `Refused` where one of them is a program, so that it cannot be seen what they make.
        """
        for step in option.steps:
            if isinstance(step, Ledger) and step.folder and not self.is_recorded(step):
                found = self._upto(runbook, step, self._records(step))
                for each in found:
                    if each.program:
                        raise Refused(
                            f"{each.name} is a program, so it is unknown what {found[-1].name} makes; nothing was "
                            f"changed. Record it with {plain(step.framework, self.values)} if all of it is there."
                        )
                yield found

    def is_recorded(self, step: Ledger) -> bool:
        """Whether a migration is recorded as done."""
        found = self._records(step)
        return plain(step.ledger, self.values) in found.ledger.done(found.entries, ())

    def missing_ledgers(self, option: Option) -> Iterator[tuple[str, str]]:
        """(framework, the statement that makes its ledger) where the target has none."""
        made = set()
        for step in option.steps:
            if isinstance(step, Migrations | Ledger):
                found = self._records(step)
                creation = found.ledger.creation(found.schema)
                if not found.exists and creation not in made:
                    made.add(creation)
                    yield plain(step.framework, self.values), creation

    def records(self, runbook: Runbook, option: Option) -> Iterator[Step]:
        """The steps that record what is pending, as its own tool does."""
        for step in option.steps:
            if isinstance(step, Migrations | Ledger):
                found = self._records(step)
                for each in self.pending(runbook, step):
                    yield recorded(found, each, plain(step.framework, self.values))

    def _named(self, runbook: Runbook, step: Ledger, found: Records) -> list[Migration]:
        """The migration that *step* names, unless it is done."""
        if self.is_recorded(step):
            return []
        if found.ledger.heads:
            raise Refused(
                f"{found.table} names only what its tool stands at, so {plain(step.ledger, self.values)} cannot be "
                f"recorded without knowing what goes before it; nothing was changed. Record it with "
                f"{found.ledger.by_hand}."
            )
        return self._upto(runbook, step, found)[-1:]

    def _upto(self, runbook: Runbook, step: Ledger, found: Records) -> list[Migration]:
        """The migrations of a folder up to the one that *step* names, or that one alone; raises `Usage`."""
        name = plain(step.ledger, self.values)
        if not step.folder:
            return [Migration(name=name, title=name, path=Path(name), text="")]
        known = {each.name: each for each in found.ledger.migrations(self._folder(runbook, step.folder))}
        if name not in known:
            hint = nearest(name, known, "migration")
            raise Usage(f"{plain(step.folder, self.values)} has no migration {name!r}; nothing was changed. {hint}")
        names = list(known)
        return [known[each] for each in names[: names.index(name) + 1]]

    def _records(self, step: Migrations | Ledger) -> Records:
        kept = ledger.of(plain(step.framework, self.values))
        return records.read(self.conn, self.live, self.identity, kept, plain(step.schema_, self.values))

    def _folder(self, runbook: Runbook, named: str) -> Path:
        """A folder of the runbook's own, or one that a parameter names; raises `Usage` where there is none."""
        own = plain(named, self.values) == named
        folder = runbook.folder / named if own else Path(plain(named, self.values)).expanduser()
        if not folder.is_dir():
            raise Usage(f"{folder} is no directory; nothing was changed. Name the folder that holds the migrations.")
        return folder.resolve()


def recorded(found: Records, migration: Migration, framework: str) -> Step:
    """The step that records *migration* as done."""
    insert, delete = found.ledger.record(found.schema, migration)
    return Step(
        title=f"Record {migration.title} in {found.ledger.table}, as {framework} does",
        forward=insert,
        undo=delete,
        locks={found.table: Lock.ROW_EXCLUSIVE} if found.exists else {},
    )
