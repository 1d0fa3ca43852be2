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
from mendbook.runbook import Runbook, plain
from mendbook.runbook_text import Ledger, Migrations, Option, Value
from mendbook.schema import records
from mendbook.schema.ddl import Step
from mendbook.schema.locks import Lock
from mendbook.schema.records import Records
from mendbook.schema.snapshot import Snapshot
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
            return self._named(step, found)
        migrations = found.ledger.migrations(self._folder(runbook, step))
        done = found.ledger.done(found.entries, migrations)
        for name in found.ledger.lost(found.entries, migrations):
            raise Refused(
                f"{found.table} stands at {name}, which is no migration of {self._folder(runbook, step)}, so it is "
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

    def _named(self, step: Ledger, found: Records) -> list[Migration]:
        """The migration that *step* names, unless it is done."""
        if step.ledger in found.ledger.done(found.entries, ()):
            return []
        if found.ledger.heads:
            raise Refused(
                f"{found.table} names only what its tool stands at, so {step.ledger} cannot be recorded without "
                f"knowing what goes before it; nothing was changed. Record it with {found.ledger.by_hand}."
            )
        return [Migration(name=step.ledger, title=step.ledger, path=Path(step.ledger), text="")]

    def _records(self, step: Migrations | Ledger) -> Records:
        kept = ledger.of(plain(step.framework, self.values))
        return records.read(self.conn, self.live, self.identity, kept, plain(step.schema_, self.values))

    def _folder(self, runbook: Runbook, step: Migrations) -> Path:
        """A folder of the runbook's own, or one that a parameter names; raises `Usage` where there is none."""
        own = plain(step.migrations, self.values) == step.migrations
        folder = runbook.folder / step.migrations if own else Path(plain(step.migrations, self.values)).expanduser()
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
