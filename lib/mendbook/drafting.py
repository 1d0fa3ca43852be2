"""A `Draft`: a new runbook made from an error text and the database it happened on, tried before it is handed over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mendbook import authoring, lexer, redaction, runbook, trial
from mendbook.errors import NotThisIncident, Refused
from mendbook.runbook import Runbook, plain
from mendbook.runbook_text import Value
from mendbook.schema import ddl, snapshot
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Extension, Object, Schema, Sequence, Type
from mendbook.schema.relations import Column, Constraint, Table
from mendbook.schema.snapshot import Snapshot
from mendbook.symptom import extensions, referral, statements
from mendbook.symptom.match import Match
from mendbook.target import Identity, open_target

Name = tuple[str, str]  # schema and table


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A runbook folder, and what it lacks to be a runbook."""

    folder: Path
    missing: tuple[str, ...]  # empty: it goes through everything as it is


def make(name: str, place: Path, *, text: str, target: str, values: Mapping[str, object]) -> Draft:
    """Write the folder *name* below *place* from the error *text* and the schema of *target*; *values* come first.

    ``broken.sql`` holds the tables concerned and no rows. Raises `Usage`, `UnreadableTarget`, `NotThisIncident`, and
    `Refused` for an error of a kind that no generic runbook is for.
    """
    found = referral.refer(text, target=target)
    if not found.diagnosis.is_postgres:
        raise NotThisIncident("The text holds no error of PostgreSQL's; nothing was made. Paste the whole message.")
    match = next((each for each in found.matches if each.fits and _fills(each.runbook)), None)
    if match is None:
        kind = found.diagnosis.kind.replace("_", " ")
        raise Refused(f"No generic runbook is for this error ({kind}) to begin from; nothing was made.")
    known = _known(match, values)
    opened, identity = open_target(target)
    with opened.reading() as conn:
        live = snapshot.read(conn)
    folder = authoring.begin(
        name,
        place,
        {
            "runbook.yaml": _yaml(match, known, found.diagnosis.message),
            "broken.sql": _broken(live, identity, match.runbook, known),
            "error.txt": referral.excerpt(text).rstrip("\n") + "\n",
        },
    )
    lacking = tuple(f"{each}: {match.needs[each]}" for each in match.needs if each not in known)
    return Draft(folder=folder, missing=lacking or _trial(folder))


def _fills(book: Runbook) -> bool:
    """Whether all that the generic runbook wants can stand in a new runbook's text: no directory, and no sessions."""
    fills = all(each.type != "directory" for each in book.text.parameters.values())
    return book.text.generic and fills and not book.sessions


def _known(match: Match, values: Mapping[str, object]) -> dict[str, Value]:
    """The values there are; those that are needed and not there are left out."""
    given = {**match.values, **values}
    stand_in = {name: "x" for name in match.needs if name not in given}
    filled = match.runbook.values({**stand_in, **given})
    return {name: value for name, value in filled.items() if name not in stand_in}


# ---- runbook.yaml


def _yaml(match: Match, known: Mapping[str, Value], message: str | None) -> str:
    """The generic runbook with the values in their places."""
    book = match.runbook
    data = book.text.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    kept = {name: each for name, each in data.pop("parameters").items() if name not in known}
    for name in ("generic", "example"):
        data.pop(name, None)
    data = _filled(data, book, known)
    data["title"] = redaction.scrub(message or data["title"])
    data["statements"] = [each for each in data["statements"] if each.get("recorded") or each["sql"].strip()]
    if kept:
        data["parameters"] = kept
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def _filled(value: Any, book: Runbook, known: Mapping[str, Value], field: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, book, known, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, book, known, field) for inner in value]
    if not isinstance(value, str):
        return value
    return book.fill(value, known) if field == "sql" else plain(value, known)


# ---- broken.sql


def _broken(live: Snapshot, identity: Identity, book: Runbook, known: Mapping[str, Value]) -> str:
    """The statements that build the tables concerned, with what those need."""
    sqls = [book.fill(each.sql, known) for each in book.text.statements]
    sqls += [str(value) for name, value in known.items() if book.text.parameters[name].type == "ddl"]
    named = [name for sql in sqls for name in (*statements.tables(sql).values(), *_referenced(sql))]
    if "table" in known:
        named.append((str(known.get("schema") or "") or None, str(known["table"])))
    part = _closure(live, {found for name in named for found in _place(name, live, identity)}, "\n".join(sqls))
    script = [f"{statement};\n" for _, statement in ddl.script(part)]
    return f"-- The tables concerned, as they are on {identity.database}, without rows.\n" + "\n".join(script)


def _place(name: tuple[str | None, str], live: Snapshot, identity: Identity) -> list[Name]:
    """The table of that name, where there is one."""
    places = [name[0]] if name[0] else identity.schemas
    return [(place, name[1]) for place in places if Key("table", place, name[1]) in live.objects][:1]


def _referenced(sql: str) -> Iterator[tuple[str | None, str]]:
    """The tables behind REFERENCES in DDL that a person gave."""
    read = lexer.significant(sql)
    for at, token in enumerate(read):
        if token.text.upper() == "REFERENCES" and token.kind == "word":
            names = [statements.fold(each.text) for each in read[at + 1 : at + 4]]
            qualified_name = names[1:2] == ["."] and len(names) == 3
            yield from [(names[0], names[2])] if qualified_name else [(None, name) for name in names[:1]]


def _closure(live: Snapshot, wanted: set[Name], sql: str) -> Snapshot:
    """The part of a schema that the tables *wanted* can be built from, and the types that *sql* names."""
    by_name = {qualified(each.schema, each.name): (each.schema, each.name) for each in live.tables()}
    todo, tables = list(wanted), set(wanted)
    while todo:
        for item in live.by_owner.get(todo.pop(), ()):
            others = [item.references] if isinstance(item, Constraint) else getattr(item, "parents", [])
            new = {by_name[each] for each in others if each in by_name} - tables
            tables |= new
            todo += new
    written = "\n".join([sql, *_texts(live, tables)])
    schemas = {schema for schema, _ in tables}
    brought = {extensions.bringing(word) for word in re.findall(r"\w+", written)}
    kept: dict[Key, Object] = {}
    for key, item in live.objects.items():
        match item:
            case Schema(name=name):
                keep = name != "public" and (name in schemas or f"{name}." in written)
            case Extension(name=name):
                keep = name in brought
            case Type(name=name):
                keep = name in written
            case Sequence():
                keep = (item.owner_schema, item.owner_table) in tables or item.name in written
            case _:
                keep = key.owner in tables and key.kind in ("table", "column", "constraint", "index")
        if keep:
            kept[key] = item
    return Snapshot(objects=kept, needs=live.needs, major=live.major)


def _texts(live: Snapshot, tables: Iterable[Name]) -> Iterator[str]:
    """The types, defaults and definitions in which other objects are named."""
    for name in tables:
        for item in live.by_owner.get(name, ()):
            if isinstance(item, Column):
                yield f"{item.type} {item.default or ''}"
            elif not isinstance(item, Table):
                yield str(getattr(item, "definition", ""))


def _trial(folder: Path) -> tuple[str, ...]:
    """What does not hold yet when the draft is taken through what every runbook goes through."""
    return tuple(f"{each.title}: {each.said}" for each in trial.checks(runbook.load(folder)) if not each.held)
