"""A Plan: everything that a fix does, computed without running anything on the target, and named by a digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from mendbook import lexer, render
from mendbook.errors import NotThisIncident, Refused, Usage
from mendbook.runbook import Runbook, plain
from mendbook.runbook_text import Edit as EditSpec
from mendbook.runbook_text import Migrations, Option, Sql, Stated, Value, Write
from mendbook.runbook_text import Setting as SettingSpec
from mendbook.schema import ddl, drift, measure, objects, privileges
from mendbook.schema.clone import Clone
from mendbook.schema.drift import Drift
from mendbook.schema.key import Key
from mendbook.schema.locks import Lock, blocks
from mendbook.schema.objects import Object, Setting
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import HEAD, Step, Transaction, rows
from mendbook.stages import edits, replay, script, sessions, stated
from mendbook.stages.edits import Edit
from mendbook.stages.history import History
from mendbook.stages.script import Statement
from mendbook.target import Identity

FORMAT = 3  # of plan.json; part of the digest
LARGE = 64 * 1_048_576  # bytes: a table above this is not rewritten or scanned under a strong lock unasked


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will run, in order."""

    runbook: str  # slug
    option: str
    values: Mapping[str, Value]
    target: Mapping[str, str]  # Identity.proof() of the database it is for
    fingerprint: str  # of the schema it was made for
    parts: Mapping[str, str]  # Snapshot.parts of that schema
    steps: tuple[Step, ...]  # on the database
    # What of `parts` is another after each step, empty for what is gone; steps beyond these change no schema.
    states: tuple[Mapping[str, str], ...]
    edits: tuple[Edit, ...]  # of the application's files, after the steps
    desired: tuple[Object, ...]  # every object that the steps make or change, as it will be
    dropped: tuple[Key, ...]  # every object that the steps drop
    dangers: tuple[str, ...]  # why it is dangerous; empty: it is not
    statements: tuple[str, ...]  # the statements that it mends
    by_hand: tuple[str, ...]  # all that is done, where there are no steps and no edits

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with anything the plan would do, or where."""
        content = {name: value for name, value in to_json(self).items() if name not in ("digest", "parts")}
        for edit in content["edits"]:
            edit["before"], edit["after"] = edits.digest(edit["before"]), edits.digest(edit["after"])
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def can_go_back(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self.edits) or any(step.undo or step.undo_loses for step in self.steps)

    def parts_after(self, count: int) -> Mapping[str, str]:
        """`Snapshot.parts` of the schema after the first *count* steps."""
        changed = self.states[min(count, len(self.states)) - 1] if count and self.states else {}
        return {name: part for name, part in {**self.parts, **changed}.items() if part}

    @property
    def owners(self) -> set[str]:
        """The names, as in `Snapshot.parts`, of what the plan may change."""
        keys = (*(item.key for item in self.desired), *self.dropped)
        return {json.dumps(key.owner, ensure_ascii=False) for key in keys}

    @property
    def lasting(self) -> tuple[str, ...]:
        """The titles of the steps that no undo takes back, such as a value that was added to an enum."""
        return tuple(step.title for step in self.steps if step.undo_loses and not step.undo)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """(number, what, lock and what it blocks, loses, undo) of each step, for people."""
        shown = rows(self.steps)
        start = len(shown) + 1
        shown += [
            (str(number), edit.title, "no lock", "nothing", "byte for byte")
            for number, edit in enumerate(self.edits, start)
        ]
        return shown + [(str(number), each, "", "", "by hand") for number, each in enumerate(self.by_hand, start)]

    def forward(self) -> str:
        """All forward SQL as a script."""
        return _script(step.forward for step in self.steps)

    def backward(self) -> str:
        """All undo SQL as a script."""
        return _script(step.undo for step in reversed(self.steps))

    def _repr_html_(self) -> str:
        danger = "".join(f"<p><strong>Dangerous:</strong> {render.escape(each)}</p>" for each in self.dangers)
        sql = render.sql_html(self.forward()) if self.steps else ""
        return f"{danger}{render.table_html(HEAD, self.rows())}{sql}<p>Digest <code>{self.digest}</code></p>"

    def __str__(self) -> str:
        danger = "".join(f"Dangerous: {each}\n" for each in self.dangers)
        return f"{danger}{render.table_text(HEAD, self.rows())}\n\n{self.forward()}\ndigest {self.digest}"


def make(
    *,
    conn: psycopg.Connection[Any],
    identity: Identity,
    live: Snapshot,
    clone: Clone,
    runbook: Runbook,
    option: Option,
    values: Mapping[str, Value],
    files: Path,
    allow_dangerous: bool = False,
) -> Plan:
    """Plan *option* for the database behind *conn*.

    The option's SQL runs on a copy of *clone*; what it changed there becomes the steps. New application files go
    into *files* where the runbook's parameter ``app`` names no directory. An option that is done by hand makes a plan
    without steps. Raises `Refused` for what has no safe step, `NotThisIncident` where nothing is left to do, `Usage`
    for an application directory that does not fit.
    """
    history = History(conn=conn, live=live, identity=identity, values=values)
    for migrations in history.claimed(runbook, option):
        replay.require_made(migrations, clone, live)
    before = clone.snapshot()
    wanted = [
        *_sql(runbook, option, values, history),
        *_settings(option, values, identity),
        *_stated(option, values, before),
    ]
    with clone.copy() as copy:
        copy.add_roles(_roles(conn, wanted))
        script.run(copy, wanted)
        after = copy.snapshot()
        found = drift.compare(before, after)
    repair = ddl.repair(found, before, after, drops=True)
    changes_of_schema, states = _measured(repair.steps, clone, live)
    steps = (
        *changes_of_schema,
        *history.records(runbook, option),
        *sessions.steps(conn, runbook, option, values),
    )
    changes = tuple(each for each in _edits(runbook, option, values, files) if each.before != each.after)
    if not steps and not changes and not option.done_by_hand:
        raise NotThisIncident(
            f"All that the option {option.id} of {runbook.slug} makes is there already: this database does not have "
            f"this incident, or no longer; nothing was changed. If the application still fails, it still sends its "
            f"old statements: start the version that goes with the fix."
        )
    planned = Plan(
        runbook=runbook.slug,
        option=option.id,
        values=values,
        target=identity.proof(),
        fingerprint=live.fingerprint(),
        parts=live.parts,
        steps=steps,
        states=tuple(states),
        edits=changes,
        desired=tuple(item.desired for item in found.differences if item.desired is not None),
        dropped=tuple(item.key for item in found.differences if item.desired is None),
        dangers=tuple(_dangers(option, steps, conn)),
        statements=tuple(each.sql for each in runbook.statements(values)),
        by_hand=tuple(option.by_hand) if option.done_by_hand else (),
    )
    if planned.dangers and not allow_dangerous:
        raise Refused(
            f"The option {option.id} is dangerous here: {' '.join(planned.dangers)} Nothing was changed. "
            f"Choose another option, or run this again with dangerous steps allowed (--allow-dangerous)."
        )
    return planned


# ---- the option's own SQL, on the clone


def _sql(runbook: Runbook, option: Option, values: Mapping[str, Value], history: History) -> Iterator[Statement]:
    for step in option.steps:
        if isinstance(step, Sql):
            yield from script.read(runbook.fill(step.sql, values), f"option {option.id}")
        elif isinstance(step, Migrations):
            for migration in history.pending(runbook, step):
                yield from script.read(migration.text, os.path.relpath(migration.path, runbook.folder))
    for framework, creation in history.missing_ledgers(option):
        yield Statement(text=creation, place=f"the ledger of {framework}")


def _settings(option: Option, values: Mapping[str, Value], identity: Identity) -> Iterator[Statement]:
    for each in option.steps:
        if isinstance(each, SettingSpec):
            role = plain(each.role, values) or identity.role
            setting = Setting(role=role, name=each.setting, value=plain(each.value, values))
            yield Statement(text=privileges.setting(setting), place=f"option {option.id}")


def _stated(option: Option, values: Mapping[str, Value], before: Snapshot) -> Iterator[Statement]:
    for each in option.steps:
        if isinstance(each, Stated):
            yield from stated.script(before, plain(each.stated, values))


def _roles(conn: psycopg.Connection[Any], statements: Iterable[Statement]) -> list[str]:
    """The roles of the target that the statements name."""
    words = {token.text for each in statements for token in lexer.tokens(each.text)}
    named = [word[1:-1].replace('""', '"') if word.startswith('"') else word.lower() for word in words]
    return [name for (name,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [named])]


def _measured(steps: tuple[Step, ...], clone: Clone, live: Snapshot) -> tuple[tuple[Step, ...], list[dict[str, str]]]:
    """The steps with what they rewrite, and what each leaves of the schema, as seen on a copy of *clone*."""
    seen: list[Snapshot] = []
    with clone.copy() as copy:
        before = copy.snapshot()
        measured, _ = measure.forward(copy, steps, then=lambda: seen.append(copy.snapshot()))
    return measure.restated(steps, measured), [_state(live, drift.compare(before, after)) for after in seen]


def _state(live: Snapshot, changes: Drift) -> dict[str, str]:
    """The parts that *changes* make of the live schema's, as far as they differ."""
    owners = {item.key.owner for item in changes.differences}
    objects = {item.key: item for owner in owners for item in live.by_owner.get(owner, ())}
    objects |= {item.key: item.desired for item in changes.differences if item.desired is not None}
    gone = {item.key for item in changes.differences if item.desired is None}
    parts = Snapshot(objects={key: item for key, item in objects.items() if key not in gone}).parts
    names = (json.dumps(owner, ensure_ascii=False) for owner in sorted(owners))
    return {name: parts.get(name, "") for name in names if parts.get(name) != live.parts.get(name)}


# ---- files


def _edits(runbook: Runbook, option: Option, values: Mapping[str, Value], files: Path) -> Iterator[Edit]:
    named = str(values.get("app", ""))
    app = Path(named).expanduser() if named else files
    for step in option.steps:
        if isinstance(step, EditSpec):
            if not named:
                raise Usage(
                    f"The option {option.id} edits {step.edit}, so it needs the application's directory; nothing was "
                    f"started. Name it with -p app=DIRECTORY."
                )
            yield edits.change(app, step.edit, step.find, step.replace)
        elif isinstance(step, Write):
            yield edits.write(app, step.write, (runbook.folder / step.content).read_text(encoding="utf-8"))


# ---- danger


def _dangers(option: Option, steps: Iterable[Step], conn: psycopg.Connection[Any]) -> Iterator[str]:
    if option.advice == "advised_against":
        yield f"It is advised against: {option.reason}"
    for step in steps:
        if step.loses:
            yield f"{step.title} loses {step.loses}."
        for relation in (*step.rewrites, *step.scans):
            row = conn.execute("SELECT pg_table_size(to_regclass(%s))", [relation]).fetchone()
            size = int(row[0] or 0) if row else 0
            if size > LARGE:
                verb = "writes every row of" if relation in step.rewrites else "reads every row of"
                yield (
                    f"{step.title} {verb} {relation} ({size / 1_048_576:.0f} MB) and blocks {blocks(step.lock)} "
                    f"all the while."
                )


# ---- as JSON


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values, with its digest left to `dump`."""
    said = {name: getattr(plan, name) for name in _PLAIN}
    steps = [{**asdict(step), "locks": {name: str(lock) for name, lock in step.locks.items()}} for step in plan.steps]
    return {
        "format": FORMAT,
        **json.loads(json.dumps(said)),
        "steps": json.loads(json.dumps(steps)),
        "edits": [asdict(edit) for edit in plan.edits],
        "desired": [objects.to_json(item) for item in plan.desired],
        "dropped": [list(key) for key in plan.dropped],
    }


_LISTS = ("dangers", "statements", "by_hand")
_PLAIN = ("runbook", "option", "values", "target", "fingerprint", "parts", "states", *_LISTS)


def dump(plan: Plan) -> str:
    """The text of ``plan.json``."""
    return json.dumps({"digest": plan.digest, **to_json(plan)}, indent=1, ensure_ascii=False) + "\n"


def load(text: str) -> Plan:
    """Read ``plan.json`` back; raises `Refused` where it was changed since it was written."""
    try:
        data = json.loads(text)
        said = {name: data[name] for name in _PLAIN} | {name: tuple(data[name]) for name in ("states", *_LISTS)}
        plan = Plan(
            **said,
            steps=tuple(map(_step, data["steps"])),
            edits=tuple(Edit(**each) for each in data["edits"]),
            desired=tuple(map(objects.from_json, data["desired"])),
            dropped=tuple(Key(*key) for key in data["dropped"]),
        )
    except (ValueError, KeyError, TypeError):
        raise Refused("plan.json cannot be read, so nothing was changed. Diagnose again to make a new plan.") from None
    if plan.digest != data.get("digest"):
        raise Refused("plan.json was changed after the plan was made, so nothing was changed. Diagnose again.")
    return plan


def _step(data: dict[str, Any]) -> Step:
    locks = {name: Lock[mode.replace(" ", "_")] for name, mode in data.pop("locks").items()}
    lists = {name: tuple(data.pop(name)) for name in ("forward", "undo", "rewrites", "scans")}
    transaction = Transaction(data.pop("transaction"))
    return Step(**{**data, **lists, "locks": locks, "transaction": transaction})


def _script(parts: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"{statement};\n" for part in parts for statement in part)
