"""A Replay: what each migration of a folder does to an empty database of the embedded server, one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg

from mendbook import lexer
from mendbook.migrations import Migration
from mendbook.schema import clone, drift, snapshot
from mendbook.schema.clone import Clone
from mendbook.schema.drift import Difference
from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Identity

# The roles of the target are not on the embedded server.
_OF_ROLES = re.compile(r"\s*(?:GRANT|REVOKE)\b|\s*ALTER\b(?:.|\n)*\bOWNER\s+TO\b|\s*ALTER\s+DEFAULT\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What the migrations did, in order."""

    effects: Mapping[str, tuple[Difference, ...]]  # by the migration's name; ``live`` is before it, ``desired`` after
    stopped: str  # why the rest was not run; empty: all ran

    def lacking(self, live: Snapshot) -> dict[str, tuple[str, ...]]:
        """What of each migration's effect is not in *live*, in words, by the migration's name.

        An object that is in *live* as no migration left it is not counted: somebody changed it since.
        """
        history: dict[Key, list[tuple[str, Object | None]]] = {}
        for name, differences in self.effects.items():
            for each in differences:
                history.setdefault(each.key, []).append((name, each.desired))
        lacking: dict[str, list[Key]] = {}
        for key, steps in history.items():
            states = [None, *(after for _, after in steps)]
            reached = [at for at, state in enumerate(states) if state == live.objects.get(key)]
            for name, _ in steps[max(reached, default=len(steps)) :]:
                lacking.setdefault(name, []).append(key)
        return {name: tuple(self._said(name, keys, live)) for name, keys in lacking.items()}

    def _said(self, name: str, keys: list[Key], live: Snapshot) -> Iterable[str]:
        after = {each.key: each.desired for each in self.effects[name]}
        for key in outermost(keys):
            if after[key] is None:
                yield f"{key} is still there"
            else:
                yield f"{key} was not changed" if key in live.objects else f"{key} is missing"


def outermost(keys: Iterable[Key]) -> list[Key]:
    """Those that do not belong to a table that is named as well."""
    keys = list(keys)
    tables = {key.owner for key in keys if key.kind == "table"}
    return [key for key in keys if key.kind == "table" or key.owner not in tables]


def run(migrations: Iterable[Migration], identity: Identity) -> Replay:
    """Run *migrations* up to the first one that is a program or fails."""
    effects: dict[str, tuple[Difference, ...]] = {}
    with clone.build(snapshot.EMPTY, identity) as scratch:
        before = scratch.snapshot()
        for migration in migrations:
            obstacle = attempt(scratch, migration, "a scratch database")
            if obstacle:
                stopped = f"{obstacle.said}, so what it and the later ones make is not known."
                return Replay(effects=effects, stopped=stopped)
            after = scratch.snapshot()
            effects[migration.name] = drift.compare(before, after).differences
            before = after
    return Replay(effects=effects, stopped="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """Why a migration did not run."""

    said: str
    sqlstate: str  # empty: it is a program


def attempt(scratch: Clone, migration: Migration, where: str) -> Obstacle | None:
    """Run *migration* in *scratch*, which people know as *where*; return what it ran into, None where it ran."""
    if migration.program:
        return Obstacle(said=f"{migration.title} is a program", sqlstate="")
    with scratch.connect() as conn:
        for piece in lexer.split(migration.text):
            if piece.kind != "sql" or _OF_ROLES.match(piece.text):
                continue
            try:
                conn.execute(piece.text.encode())
            except psycopg.Error as error:
                sqlstate = error.diag.sqlstate or ""
                failure = f"fails on {where} with {sqlstate} ({error.diag.message_primary})"
                return Obstacle(said=f"{migration.title}:{piece.line} {failure}", sqlstate=sqlstate)
    return None
