"""The expectation: the schema that should be, read from a scratch database that whatever states it has filled."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mendbook import described, origin, redaction, runbook, target
from mendbook.errors import Usage
from mendbook.migrations import Layout
from mendbook.origin import Dump, Means, Origin, Program
from mendbook.schema import programs, scratch, scripts, snapshot
from mendbook.schema.scratch import Scratch
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Target

_LIVE = re.compile(r"(env|service|embedded):|[a-z0-9+]+://", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """The schema that should be."""

    reference: str  # as the user named it
    snapshot: Snapshot
    notes: tuple[str, ...]  # what was made or left out to get there, one sentence each


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A database that holds the expected schema."""

    target: Target
    notes: tuple[str, ...]


def read(reference: str, *, major: int | None = None) -> Expectation:
    """Return what *reference* says the schema should be: ``sql:FILE``, ``migrations:DIR``, ``django:DIR``, a target.

    The scratch database is of PostgreSQL *major* where that is installed. Raises `Usage` for what cannot be
    understood or does not run, `Refused` for a program that did not work in the scratch database, and
    `Surroundings` where a tool is missing.
    """
    with database(reference, major=major) as found, found.target.reading() as conn:
        return Expectation(reference=reference, snapshot=snapshot.read(conn), notes=found.notes)


@contextlib.contextmanager
def database(reference: str, *, major: int | None = None) -> Iterator[Database]:
    """Yield the database that `read` reads; a scratch database is gone afterwards."""
    if is_target(reference):
        yield Database(target=target.resolve(reference), notes=())
        return
    prefix, rest, means = _understood(reference)
    with scratch.database(reference, major) as place:
        notes = _fill(place, reference, prefix, rest, means)
        yield Database(target=place.target, notes=(*place.notes, *notes))


def check(reference: str) -> None:
    """Raise `Usage` for a reference that cannot be understood; nothing that it names is run or opened."""
    if is_target(reference):
        target.resolve(reference)
    else:
        _understood(reference)


def is_target(reference: str) -> bool:
    """Whether *reference* names a database that is there, and not what states a schema."""
    return bool(_LIVE.match(reference))


def absolute(reference: str) -> str:
    """The reference with the whole path of the file or folder that it names, so that it is the same from anywhere."""
    prefix, colon, place = reference.partition(":")
    path, more, rest = place.partition(":")
    if is_target(reference) or not path or not Path(path).exists():
        return reference
    return f"{prefix}{colon}{Path(path).resolve()}{more}{rest}"


def forms() -> list[str]:
    """How an expectation can be named, for people."""
    own = [f"{each.prefix}:{each.form}" for each in origins().values()]
    return [*own, "migrations:DIR", "runbook:NAME", "env:NAME", "service:NAME", "embedded:NAME", "postgresql://…"]


@cache
def origins() -> Mapping[str, Origin]:
    """Every framework's origin by its prefix."""
    return {each.prefix: each for each in described.every("EXPECTATION").values()}


def _understood(reference: str) -> tuple[str, str, Means]:
    """The prefix of *reference*, what follows it, and what that means."""
    prefix, _, place = reference.partition(":")
    if not place:
        raise Usage(
            f"{redaction.scrub(reference)!r} does not say where the schema is stated; nothing was started. "
            f"Name it as one of {', '.join(forms())}."
        )
    if prefix == "runbook":
        return prefix, str(_healthy(place)), Dump()
    if prefix == "migrations":
        return prefix, place, _recognised(place)
    found = origins().get(prefix)
    if found is None:
        known = {each.partition(":")[0]: each for each in forms()}
        raise Usage(
            f"Nothing states a schema as {prefix!r}; nothing was started. "
            f"{runbook.nearest(prefix, known, 'form')} An expectation is one of {', '.join(forms())}."
        )
    return prefix, place, found.file if found.file and Path(place).is_file() else found.means


def _healthy(name: str) -> Path:
    book = runbook.find(name)
    if book.healthy is None:
        raise Usage(f"The runbook {book.slug} has no healthy.sql, so it does not say what the schema should be.")
    return book.folder / "healthy.sql"


def _recognised(place: str) -> Layout:
    """Whose migrations a folder holds: those that a mark in the files tells win over those of a name."""
    folder = origin.folder(place, "migrations")
    known = {each.prefix: each.means for each in origins().values() if isinstance(each.means, Layout)}
    found = {prefix: layout for prefix, layout in known.items() if layout.recognises(folder)}
    marked = {prefix: layout for prefix, layout in found.items() if layout.mark}
    best = marked or {prefix: layout for prefix, layout in found.items() if prefix != "numbered"} or found
    runs = {tuple((each.path, each.text) for each in layout.read(folder)) for layout in best.values()}
    if len(runs) == 1:
        return next(iter(best.values()))
    ways = ", ".join(f"{prefix}:{place}" for prefix in best or known)
    raise Usage(
        f"{place} holds {'migrations of several tools' if best else 'no SQL migrations of a known form'}; nothing was "
        f"started. Name the tool: {ways}."
    )


def _fill(place: Scratch, reference: str, prefix: str, rest: str, means: Means) -> list[str]:
    match means:
        case Dump():
            return scripts.dump(place.target, Path(rest), means)
        case Layout():
            folder = origin.folder(rest, prefix)
            if not means.recognises(folder):
                raise Usage(
                    f"{rest} holds no migrations of {prefix}; nothing was started. Name the folder they are in."
                )
            return scripts.migrate(place.target, means.read(folder))
        case Program():
            output, notes = programs.run(place, reference, means, means.command(rest))
            return [*notes, *(scripts.printed(place.target, rest, output) if means.prints else [])]
