"""The history of migrations: which of a runbook's are pending on a target, and how each is recorded as done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from mendbook import ledger as ledgers
from mendbook.errors import Refused, Usage
from mendbook.ledger import Migration
from mendbook.runbook import Runbook, nearest, plain
from mendbook.runbook_text import Ledger, Migrations, Option, Value
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
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
        done = self._done(step)
        if isinstance(step, Ledger):
            found = self._upto(runbook, step)[-1:]
        else:
            found = self._ledger(step).migrations(self._folder(runbook, step.migrations))
        pending = [each for each in found if each.name not in done]
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
                found = self._upto(runbook, step)
                for each in found:
                    if each.program:
                        raise Refused(
                            f"{each.name} is a program, so it is unknown what {found[-1].name} makes; nothing was "
                            f"changed. Record it with {plain(step.framework, self.values)} if all of it is there."
                        )
                yield found

    def is_recorded(self, step: Ledger) -> bool:
        """Whether a migration is recorded as done."""
        return plain(step.ledger, self.values) in self._done(step)

    def missing_ledgers(self, option: Option) -> Iterator[tuple[str, str]]:
        """(framework, the statement that makes its ledger) where the target has none."""
        made = set()
        for step in option.steps:
            if isinstance(step, Migrations | Ledger):
                schema, exists = self._place(step)
                creation = self._ledger(step).creation(schema)
                if not exists and creation not in made:
                    made.add(creation)
                    yield plain(step.framework, self.values), creation

    def records(self, runbook: Runbook, option: Option) -> Iterator[Step]:
        """The steps that record what is pending, as its own tool does."""
        for step in option.steps:
            if isinstance(step, Migrations | Ledger):
                ledger = self._ledger(step)
                schema, exists = self._place(step)
                table = qualified(schema, ledger.table)
                for each in self.pending(runbook, step):
                    insert, delete = ledger.record(schema, each.name, each.text)
                    yield Step(
                        title=f"Record {each.name} in {ledger.table}, as {plain(step.framework, self.values)} does",
                        forward=(insert,),
                        undo=(delete,),
                        locks={table: Lock.ROW_EXCLUSIVE} if exists else {},
                    )

    def _ledger(self, step: Migrations | Ledger) -> ledgers.Ledger:
        return ledgers.of(plain(step.framework, self.values))

    def _upto(self, runbook: Runbook, step: Ledger) -> list[Migration]:
        """The migrations of a folder up to the one that *step* names, or that one alone; raises `Usage`."""
        name = plain(step.ledger, self.values)
        if not step.folder:
            return [Migration(name=name, path=Path(name), text="", program=False)]
        found = {each.name: each for each in self._ledger(step).migrations(self._folder(runbook, step.folder))}
        if name not in found:
            hint = nearest(name, found, "migration")
            raise Usage(f"{plain(step.folder, self.values)} has no migration {name!r}; nothing was changed. {hint}")
        names = list(found)
        return [found[each] for each in names[: names.index(name) + 1]]

    def _folder(self, runbook: Runbook, named: str) -> Path:
        """A folder of the runbook's own, or one that a parameter names; raises `Usage` where there is none."""
        own = plain(named, self.values) == named
        folder = runbook.folder / named if own else Path(plain(named, self.values)).expanduser()
        if not folder.is_dir():
            raise Usage(f"{folder} is no directory; nothing was changed. Name the folder that holds the migrations.")
        return folder.resolve()

    def _place(self, step: Migrations | Ledger) -> tuple[str, bool]:
        """The schema of the ledger, and whether the ledger is there."""
        table = self._ledger(step).table
        named = plain(step.schema_, self.values)
        places = [named] if named else self.identity.schemas
        for schema in places:
            if Key("table", schema, table) in self.live.objects:
                return schema, True
        if not places:
            raise Refused(
                f"The search_path of {self.identity.role} ({self.identity.search_path}) names no schema that exists, "
                f"so the ledger {table} has no place; nothing was changed. Set the role's search_path."
            )
        return places[0], False

    def _done(self, step: Migrations | Ledger) -> set[str]:
        """The names of the migrations that are recorded as done."""
        schema, exists = self._place(step)
        ledger = self._ledger(step)
        try:
            return {row[0] for row in self.conn.execute(ledger.select(schema))} if exists else set()
        except psycopg.Error as error:
            raise Refused(
                f"The migration ledger {qualified(schema, ledger.table)} cannot be read as its own tool "
                f"does it ({error.diag.message_primary}), so it is unknown what is pending; nothing was changed. "
                f"Check that it is this application's ledger, and that the role may read it."
            ) from None
