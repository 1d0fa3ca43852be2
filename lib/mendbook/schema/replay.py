"""A Replay: what each migration of a folder does to an empty scratch database, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from mendbook import lexer
from mendbook.errors import Usage
from mendbook.migrations import Migration
from mendbook.schema import drift, scratch, scripts, snapshot
from mendbook.schema.drift import Difference
from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.schema.scratch import Scratch
from mendbook.schema.scripts import Session
from mendbook.schema.snapshot import Snapshot

_PRIVILEGES = ("grant", "default privilege")


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What the migrations did, in order."""

    effects: Mapping[str, tuple[Difference, ...]]  # by the migration's name; ``live`` is before it, ``desired`` after
    left_out: Mapping[str, tuple[str, ...]]  # by the migration's name: what of it was not run, one sentence each
    stopped: str  # why the rest was not run; empty: all ran

    def structure(self, name: str) -> tuple[Difference, ...]:
        """The effect of a migration without privileges, which depend on who owns a database."""
        return tuple(each for each in self.effects[name] if each.key.kind not in _PRIVILEGES)

    def lacking(self, live: Snapshot) -> dict[str, tuple[str, ...]]:
        """What of each migration's structure is not in *live*, in words, by the migration's name.

        An object that is in *live* as no migration left it is not counted: somebody changed it since.
        """
        history: dict[Key, list[tuple[str, Object | None]]] = {}
        for name in self.effects:
            for each in self.structure(name):
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


def run(migrations: Sequence[Migration], *, major: int, schemas: Sequence[str]) -> Replay:
    """Run *migrations* up to the first one that is a program or fails.

    The server is of PostgreSQL *major* where that is installed. *schemas* are the search_path; those that no
    migration makes are there before them.
    """
    effects: dict[str, tuple[Difference, ...]] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    with scratch.database("the migrations", major) as place:
        _prepare(place, migrations, schemas)
        before = _look(place)
        with scripts.session(place.target) as session:
            for each in migrations:
                said = len(session.left_out)
                stopped = _stopped(session, each)
                if stopped:
                    return Replay(effects=effects, left_out=left_out, stopped=stopped)
                after = _look(place)
                effects[each.name] = drift.compare(before, after).differences
                left_out[each.name] = tuple(session.left_out[said:])
                before = after
    return Replay(effects=effects, left_out=left_out, stopped="")


def _prepare(place: Scratch, migrations: Sequence[Migration], schemas: Sequence[str]) -> None:
    pieces = [piece for each in migrations for piece in lexer.split(each.text) if piece.verb == "CREATE SCHEMA"]
    tokens = [token for piece in pieces for token in lexer.significant(piece.text)]
    made = {token.text.strip('"') if token.kind == "quoted" else token.text.lower() for token in tokens}
    with place.target.connect() as conn:
        for each in schemas:
            if each not in made:
                conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(each)))
        path = sql.SQL(", ").join(map(sql.Literal, schemas or [""]))
        conn.execute(sql.SQL("ALTER DATABASE {} SET search_path TO {}").format(sql.Identifier(place.database), path))


def _look(place: Scratch) -> Snapshot:
    with place.target.reading() as conn:
        return snapshot.read(conn)


def _stopped(session: Session, migration: Migration) -> str:
    """Why *migration* did not run; empty: it did."""
    if migration.program:
        return f"{migration.title} is a program, so what it and the later ones make is not known from the folder."
    try:
        session.migration(migration)
    except Usage as error:
        return str(error)
    return ""
