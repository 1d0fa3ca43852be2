"""A Deploy: what the pending migrations of an application would make of a target, tried on a clone of its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from mendbook import lexer
from mendbook.migrations import Migration
from mendbook.schema import clone, drift, objects
from mendbook.schema.audit import Audit
from mendbook.schema.clone import Clone
from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.schema.snapshot import Snapshot
from mendbook.symptom import sweep
from mendbook.symptom.sweep import Found, Sweep
from mendbook.target import Identity

# What fails for want of something that the clone's server does not have: a role, an extension, a privilege.
_OF_THE_CLONE = frozenset({"42501", "42704"})


# The roles of the target are not all on the clone's server.
_OF_ROLES = re.compile(r"\s*(?:GRANT|REVOKE)\b|\s*ALTER\b(?:.|\n)*\bOWNER\s+TO\b|\s*ALTER\s+DEFAULT\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """Why a migration did not run."""

    said: str
    sqlstate: str  # empty: it is a program


@dataclass(frozen=True, kw_only=True, slots=True)
class Deploy:
    """What came about on the clone."""

    changes: Mapping[Key, Object | None]  # each object that came, changed or went (None), as it is afterwards
    sweep: Sweep | None  # the statements of the application, judged there
    stopped: Migration | None  # the first that did not run, so that the later ones did not either; None: all ran
    obstacle: Obstacle | None  # what it ran into
    whole: bool  # the clone has all of the target's schema

    @property
    def failing(self) -> Migration | None:
        """The migration that would fail on the target too, as far as the schema tells."""
        sqlstate = self.obstacle.sqlstate if self.obstacle else ""
        certain = self.whole and sqlstate.startswith("42") and sqlstate not in _OF_THE_CLONE
        return self.stopped if certain else None

    @property
    def why(self) -> str:
        """Why not all of them ran; empty: they did."""
        return self.obstacle.said if self.obstacle else ""


def make(
    live: Snapshot,
    identity: Identity,
    pending: Sequence[Migration],
    found: Found | None,
    promised: Mapping[Key, Object],
) -> Deploy:
    """Run *pending* on a clone of *live*, up to the first that does not run, and have the statements judged there.

    A program cannot be run there. Where one is pending, the clone gets what the models expect of the pending
    migrations, *promised*, in their place.
    """
    programs = bool(promised) and any(each.program for each in pending)
    original = Snapshot(objects={**live.objects, **promised}) if programs else live
    with clone.build(original, identity) as place:
        before = place.snapshot()
        tried = ((each, _attempt(place, each)) for each in pending if not programs)
        stopped, obstacle = next((each for each in tried if each[1]), (None, None))
        made = {each.key: each.desired for each in drift.compare(before, place.snapshot()).differences}
        with place.connect() as conn:
            judged = sweep.judge(conn, found) if found else None
        return Deploy(
            changes=promised if programs else made,
            sweep=judged,
            stopped=stopped,
            obstacle=obstacle,
            whole=not place.omissions,
        )


def _attempt(place: Clone, migration: Migration) -> Obstacle | None:
    """Run *migration* on the clone; return what it ran into, None where it ran."""
    if migration.program:
        return Obstacle(said=f"{migration.title} is a program", sqlstate="")
    with place.connect() as conn:
        for piece in lexer.split(migration.text):
            if piece.kind != "sql" or _OF_ROLES.match(piece.text):
                continue
            try:
                conn.execute(piece.text.encode())
            except psycopg.Error as error:
                sqlstate = error.diag.sqlstate or ""
                failure = f"fails on a clone of this schema with {sqlstate} ({error.diag.message_primary})"
                return Obstacle(said=f"{migration.title}:{piece.line} {failure}", sqlstate=sqlstate)
    return None


def promised(found: Audit, expected: Snapshot) -> Mapping[Key, Object]:
    """What the models expect of the pending migrations, as the text of those tells."""
    keys = {key for line in found.lines if "pending" in line.verdicts for key in line.unmet}
    tables = {key.owner for key in keys if key.kind == "table"}
    return {
        key: item
        for key, item in expected.objects.items()
        if any(each in keys or each.owner in tables for each in (key, _served(item)) if each)
    }


def _served(item: Object) -> Key | None:
    return item.owner if isinstance(item, objects.Sequence) else None
