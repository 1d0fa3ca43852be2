"""An Audit: the live schema, the ledger, the files and the models of an application, migration by migration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import psycopg

from mendbook import ledger, render
from mendbook.ledger import Entry, Ledger
from mendbook.migrations import Migration
from mendbook.schema import objects, records, replay
from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.schema.records import Records
from mendbook.schema.replay import Replay
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Identity

Verdict = Literal[
    "failed", "phantom", "changed", "orphan", "out of order", "missing", "not known", "pending", "applied"
]

_MARKS = {
    **dict.fromkeys(("failed", "phantom", "missing"), "bad"),
    **dict.fromkeys(("changed", "orphan", "out of order", "not known"), "warn"),
    "pending": "note",
    "applied": "good",
}
HEAD = ("", "migration", "live", "ledger", "files", "models")
_NOTHING = "—"
_SHOWN = 3  # objects in one cell


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One migration on all four sides."""

    migration: str  # its file or folder; of an orphan, what the ledger calls it; empty: nobody's
    verdicts: tuple[Verdict, ...]  # the worst first
    live: str
    ledger: str
    files: str
    models: str
    unmet: tuple[
        Key, ...
    ] = ()  # what the models expect of it and the live schema lacks; a table with all that is in it


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """The four-way table; true where every migration is applied and nothing is missing."""

    framework: str
    table: str  # the ledger, qualified
    lines: tuple[Line, ...]
    notes: tuple[str, ...]  # what could not be compared, and why

    def __bool__(self) -> bool:
        return all(line.verdicts == ("applied",) for line in self.lines)

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """(verdicts, migration, live, ledger, files, models) of each line, for people."""
        return [
            (", ".join(line.verdicts), line.migration or _NOTHING, line.live, line.ledger, line.files, line.models)
            for line in self.lines
        ]

    def _repr_html_(self) -> str:
        rows = self.rows()
        return render.table_html(HEAD, rows, marks=marks(rows), empty=EMPTY) + render.list_html(self.notes)

    def __str__(self) -> str:
        rows = self.rows()
        return "\n".join((render.table_text(HEAD, rows, marks=marks(rows), empty=EMPTY), *self.notes))


EMPTY = "There is no migration, neither on disk nor in the ledger."


def marks(rows: Iterable[Sequence[str]]) -> dict[str, str]:
    """The colour of each row, by its worst verdict."""
    return {row[0]: _MARKS[row[0].partition(", ")[0]] for row in rows}


def to_json(audit: Audit) -> dict[str, Any]:
    """The audit as JSON values."""
    return asdict(audit)


def make(
    conn: psycopg.Connection[Any],
    *,
    live: Snapshot,
    identity: Identity,
    framework: str,
    folder: Path,
    schema: str = "",
    expected: Snapshot | None = None,
) -> Audit:
    """Hold the ledger of *framework* behind *conn* and the migrations in *folder* against *live*, and *expected* too.

    The ledger is looked for in *schema*, else where the tool keeps it. Raises `Usage` for a framework without a ledger
    or a folder that cannot be read, `Refused` for a ledger that cannot be read.
    """
    kept = ledger.of(framework)
    found = records.read(conn, live, identity, kept, schema)
    migrations = kept.migrations(folder)
    return _Comparison(
        framework=framework,
        records=found,
        migrations=migrations,
        replay=replay.run(migrations, major=identity.major, schemas=identity.schemas),
        live=live,
        expected=expected,
    ).audit()


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    framework: str
    records: Records
    migrations: Sequence[Migration]
    replay: Replay
    live: Snapshot
    expected: Snapshot | None

    def audit(self) -> Audit:
        lacking = self.replay.lacking(self.live)
        models, nobodys = self._models()
        done = self.ledger.done(self.records.entries, self.migrations)
        lines = [self._line(each, done, lacking.get(each.name, ()), models) for each in self.migrations]
        lines += self._orphans()
        lines += [
            Line(migration="", verdicts=("missing",), live="missing", ledger=_NOTHING, files=_NOTHING, models=str(key))
            for key in nobodys
        ]
        return Audit(framework=self.framework, table=self.records.table, lines=tuple(lines), notes=tuple(self._notes()))

    @property
    def ledger(self) -> Ledger:
        return self.records.ledger

    def _line(
        self, migration: Migration, done: set[str], lacks: tuple[str, ...], models: Mapping[str, list[Key]]
    ) -> Line:
        entry = self._entry(migration.name)
        unmet = models.get(migration.name, [])
        recorded = migration.name in done
        changed = self._changed(migration, entry) if recorded else ""
        verdicts: list[Verdict] = []
        if entry and entry.state == "failed":
            verdicts.append("failed")
        if recorded and (lacks or unmet):
            verdicts.append("phantom")
        if changed:
            verdicts.append("pending" if self._repeats(migration) else "changed")
        if not recorded and not verdicts:
            verdicts += ["out of order"] if self._overtaken(migration, done) else []
            verdicts.append("not known" if self.ledger.lost(self.records.entries, self.migrations) else "pending")
        return Line(
            migration=migration.title,
            verdicts=tuple(verdicts or ["applied"]),
            live=self._live(migration, lacks),
            ledger=self._recorded(entry, recorded),
            files=changed or "on disk",
            models=_listed([f"{key} is missing" for key in unmet]) if self.expected else "not asked",
            unmet=tuple(unmet),
        )

    def _entry(self, name: str) -> Entry | None:
        """The row that counts: an attempt that failed and was settled stands beside the one that succeeded."""
        rank = ("done", "failed", "rolled back", "baseline")
        found = [entry for entry in self.records.entries if entry.name == name]
        return min(found, key=lambda entry: rank.index(entry.state), default=None)

    def _changed(self, migration: Migration, entry: Entry | None) -> str:
        if not entry or not entry.checksum or not self.ledger.computes or migration.program:
            return ""
        computed = self.ledger.computes(migration)
        return "" if computed == entry.checksum else f"checksum {computed}, and the ledger has {entry.checksum}"

    def _repeats(self, migration: Migration) -> bool:
        return bool(self.ledger.layout.repeated and re.fullmatch(self.ledger.layout.repeated, migration.name))

    def _overtaken(self, migration: Migration, done: set[str]) -> bool:
        """Whether one that runs after *migration* is done."""
        if any(each.follows for each in self.migrations):
            return any(each.name in done and migration.name in each.follows for each in self.migrations)
        later = self.migrations[self.migrations.index(migration) + 1 :]
        return any(each.name in done and not self._repeats(each) for each in later)

    def _live(self, migration: Migration, lacks: tuple[str, ...]) -> str:
        if migration.name not in self.replay.effects:
            return "not known"
        if lacks:
            return _listed(lacks)
        made = self.replay.structure(migration.name)
        return f"{render.words(len(made), 'object')}, all there" if made else "nothing to see"

    def _recorded(self, entry: Entry | None, recorded: bool) -> str:
        if entry:
            return f"{entry.state} {entry.at or ''}".strip()
        if not recorded:
            return _NOTHING
        heads = " and ".join(entry.name for entry in self.records.entries)
        return f"before {heads}" if self.ledger.heads else "below the baseline"

    def _orphans(self) -> Iterator[Line]:
        known = {each.name for each in self.migrations}
        group = self.ledger.group
        own = {group(name) for name in known} if group else set()
        for name in sorted({entry.name for entry in self.records.entries} - known):
            entry = self._entry(name)
            if entry and entry.state in ("done", "failed") and (not group or group(name) in own):
                failed: tuple[Verdict, ...] = ("failed",) if entry.state == "failed" else ()
                yield Line(
                    migration=name,
                    verdicts=(*failed, "orphan"),
                    live="not known",
                    ledger=self._recorded(entry, True),
                    files=_NOTHING,
                    models="not known",
                )

    def _models(self) -> tuple[dict[str, list[Key]], list[Key]]:
        """What is expected and missing: by the migration whose text names it, and what none names."""
        named: dict[str, list[Key]] = {}
        nobodys = []
        expected = self.expected.objects if self.expected else {}
        ledger_table = (self.records.schema, self.ledger.table)
        missing = [
            key
            for key, item in expected.items()
            if key not in self.live.objects and key.owner != ledger_table and not self._comes_with_column(item)
        ]
        for key in replay.outermost(missing):
            makers = self._makers(key)
            if makers:
                named.setdefault(makers[-1], []).append(key)
            else:
                nobodys.append(key)
        return named, nobodys

    def _comes_with_column(self, item: Object) -> bool:
        """Whether it is the sequence of a column that is missing as well."""
        column = item.owner if isinstance(item, objects.Sequence) else None
        return column is not None and column not in self.live.objects

    def _makers(self, key: Key) -> list[str]:
        """The migrations whose text names an object with its table; else the only one that names it at all."""
        table, part = key.name.lower(), "" if key.kind == "function" else key.part.lower()
        known_as = {table, table.partition("_")[2]}  # an ORM may give it the application's name as a prefix
        both = [name for name, said in self._words.items() if known_as & said and (not part or part in said)]
        alone = [name for name, said in self._words.items() if part in said]
        return both or (alone if len(alone) == 1 else [])

    @cached_property
    def _words(self) -> Mapping[str, set[str]]:
        return {each.name: set(re.findall(r"\w+", each.text.lower())) for each in self.migrations}

    def _notes(self) -> Iterator[str]:
        if not self.records.exists:
            yield f"There is no ledger {self.records.table}: nothing was recorded here by {self.framework}."
        for notes in self.replay.left_out.values():
            yield from notes
        if self.replay.stopped:
            yield self.replay.stopped
        if not self.ledger.computes and any(entry.checksum for entry in self.records.entries):
            yield f"The checksums of {self.framework} are not compared: its own tool has to compute them."


def _listed(said: Sequence[str]) -> str:
    more = [f"and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
    return "\n".join([*said[:_SHOWN], *more])
