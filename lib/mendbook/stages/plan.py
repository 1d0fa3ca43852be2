"""A Plan: everything that a fix does, computed without running anything on the target, and named by a digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from mendbook import lexer, render
from mendbook.errors import NotThisIncident, Refused, Usage
from mendbook.runbook import Runbook
from mendbook.runbook_text import Edit as EditSpec
from mendbook.runbook_text import Migrations, Option, Sql, Value, Write
from mendbook.schema import ddl, drift, measure, objects
from mendbook.schema.clone import Clone
from mendbook.schema.key import Key
from mendbook.schema.locks import Lock, blocks
from mendbook.schema.objects import Object
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.stages import edits
from mendbook.stages.edits import Edit
from mendbook.stages.history import History
from mendbook.target import Identity

FORMAT = 2  # of plan.json; part of the digest
LARGE = 64 * 1_048_576  # bytes: a table above this is not rewritten or scanned under a strong lock unasked

# What a migration may hold: the verbs whose whole effect a Snapshot shows. Anything else would be lost in silence.
_SEEN = ("CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE")
_UNSEEN = ("USER", "GROUP", "DATABASE", "SUBSCRIPTION")
_FRAME = ("BEGIN", "START", "COMMIT", "END", "SET")


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
    edits: tuple[Edit, ...]  # of the application's files, after the steps
    desired: tuple[Object, ...]  # every object that the steps make or change, as it will be
    dropped: tuple[Key, ...]  # every object that the steps drop
    dangers: tuple[str, ...]  # why it is dangerous; empty: it is not
    statements: tuple[str, ...]  # the statements that it mends

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with anything the plan would do, or where."""
        content = {name: value for name, value in to_json(self).items() if name not in ("digest", "parts")}
        for edit in content["edits"]:
            edit["before"], edit["after"] = edits.digest(edit["before"]), edits.digest(edit["after"])
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

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
        rows = [
            (
                str(number),
                step.title,
                _lock(step),
                step.loses or "nothing",
                "loses " + step.undo_loses if step.undo_loses else "complete",
            )
            for number, step in enumerate(self.steps, 1)
        ]
        start = len(rows) + 1
        return rows + [
            (str(number), edit.title, "no lock", "nothing", "byte for byte")
            for number, edit in enumerate(self.edits, start)
        ]

    def forward(self) -> str:
        """All forward SQL as a script."""
        return _script(step.forward for step in self.steps)

    def backward(self) -> str:
        """All undo SQL as a script."""
        return _script(step.undo for step in reversed(self.steps))

    def _repr_html_(self) -> str:
        danger = "".join(f"<p><strong>Dangerous:</strong> {render.escape(each)}</p>" for each in self.dangers)
        sql = render.sql_html(self.forward()) if self.steps else ""
        return f"{danger}{render.table_html(_HEAD, self.rows())}{sql}<p>Digest <code>{self.digest}</code></p>"

    def __str__(self) -> str:
        danger = "".join(f"Dangerous: {each}\n" for each in self.dangers)
        return f"{danger}{render.table_text(_HEAD, self.rows())}\n\n{self.forward()}\ndigest {self.digest}"


_HEAD = ("step", "what", "lock", "loses", "undo")


def _lock(step: Step) -> str:
    if step.lock is None:
        return "none"
    how_long = "while it works on every row" if step.rewrites or step.scans else "for a moment"
    return f"{step.lock}: blocks {blocks(step.lock)} {how_long}"


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
    into *files* where the runbook's parameter ``app`` names no directory. Raises `Refused` for what has no safe
    step, `NotThisIncident` where nothing is left to do, `Usage` for an application directory that does not fit.
    """
    history = History(conn=conn, live=live, identity=identity, values=values)
    wanted = list(_sql(runbook, option, values, history))
    before = clone.snapshot()
    with clone.copy() as copy:
        copy.add_roles(_roles(conn, wanted))
        _run(copy, wanted)
        after = copy.snapshot()
        found = drift.compare(before, after)
    repair = ddl.repair(found, before, after, drops=True)
    steps = (*_restated(repair.steps, clone), *history.records(runbook, option))
    changes = tuple(each for each in _edits(runbook, option, values, files) if each.before != each.after)
    if not steps and not changes:
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
        edits=changes,
        desired=tuple(item.desired for item in found.differences if item.desired is not None),
        dropped=tuple(item.key for item in found.differences if item.desired is None),
        dangers=tuple(_dangers(option, steps, conn)),
        statements=tuple(each.sql for each in runbook.statements(values)),
    )
    if planned.dangers and not allow_dangerous:
        raise Refused(
            f"The option {option.id} is dangerous here: {' '.join(planned.dangers)} Nothing was changed. "
            f"Choose another option, or run this again with dangerous steps allowed (--allow-dangerous)."
        )
    return planned


# ---- the option's own SQL, on the clone


@dataclass(frozen=True, kw_only=True, slots=True)
class _Statement:
    text: str
    place: str  # file:line, for messages


def _sql(runbook: Runbook, option: Option, values: Mapping[str, Value], history: History) -> Iterator[_Statement]:
    for step in option.steps:
        if isinstance(step, Sql):
            yield from _pieces(runbook.fill(step.sql, values), f"option {option.id}")
        elif isinstance(step, Migrations):
            for migration in history.pending(runbook, step):
                yield from _pieces(migration.text, os.path.relpath(migration.path, runbook.folder))
    for framework, creation in history.missing_ledgers(option):
        yield _Statement(text=creation, place=f"the ledger of {framework}")


def _pieces(text: str, source: str) -> Iterator[_Statement]:
    for piece in lexer.split(text):
        place = f"{source}:{piece.line}"
        words = piece.verb.split()
        if piece.kind == "sql" and words[:1] and words[0] in _FRAME:
            continue
        if piece.kind != "sql" or words[0] not in _SEEN or (len(words) > 1 and words[1] in _UNSEEN):
            what = piece.verb or piece.text.split("\n")[0]
            raise Refused(
                f"{place}: {what} does more than a comparison of schemas can see, so no plan can carry it; nothing was "
                f"changed. Run this migration with its own tool, then diagnose again."
            )
        yield _Statement(text=piece.text, place=place)


def _roles(conn: psycopg.Connection[Any], statements: Iterable[_Statement]) -> list[str]:
    """The roles of the target that the statements name."""
    words = {token.text for each in statements for token in lexer.significant(each.text)}
    named = [word[1:-1].replace('""', '"') if word.startswith('"') else word.lower() for word in words]
    return [name for (name,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [named])]


def _run(clone: Clone, statements: Iterable[_Statement]) -> None:
    with clone.connect() as conn:
        for each in statements:
            try:
                conn.execute(each.text)
            except psycopg.Error as error:
                hidden = "".join(f"\nThe clone lacks {o.key}: {o.reason}" for o in clone.omissions[:5])
                raise Refused(
                    f"{each.place} fails on a clone of this schema with {error.diag.sqlstate} "
                    f"({error.diag.message_primary}); nothing was changed. The schema differs from what the runbook "
                    f"expects: compare it with the runbook's statements.{hidden}"
                ) from None


def _restated(steps: tuple[Step, ...], clone: Clone) -> tuple[Step, ...]:
    """The steps with what they rewrite, as seen on a copy of *clone*."""
    with clone.copy() as copy:
        measured, _ = measure.forward(copy, steps)
    seen = [each.rewrites for each in measured] + [()] * (len(steps) - len(measured))
    return tuple(replace(step, rewrites=rewrites) for step, rewrites in zip(steps, seen, strict=True))


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


_PLAIN = ("runbook", "option", "values", "target", "fingerprint", "parts", "dangers", "statements")


def dump(plan: Plan) -> str:
    """The text of ``plan.json``."""
    return json.dumps({"digest": plan.digest, **to_json(plan)}, indent=1, ensure_ascii=False) + "\n"


def load(text: str) -> Plan:
    """Read ``plan.json`` back; raises `Refused` where it was changed since it was written."""
    try:
        data = json.loads(text)
        plan = Plan(
            **{name: data[name] for name in _PLAIN if name not in ("dangers", "statements")},
            dangers=tuple(data["dangers"]),
            statements=tuple(data["statements"]),
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
