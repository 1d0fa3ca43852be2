"""A Runbook: one incident, as one folder that people write; and the catalogue of them, found by listing.

A folder holds ``runbook.yaml``, ``broken.sql`` (a script that builds the broken database), ``error.txt`` (what a person
would paste), and where it needs them ``healthy.sql`` and a small ``app/`` tree.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mendbook import render
from mendbook.errors import BadRunbook, Usage

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Value = str | int | float | bool

_LEDGER_SCHEMA = "where the ledger is; empty: the first schema of the search_path that has it"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_TYPE = re.compile(  # a type as SQL writes it: words or quoted names, a precision, array brackets
    r'(?:[A-Za-z_]\w*|"(?:[^"]|"")+")(?:\.(?:[A-Za-z_]\w*|"(?:[^"]|"")+"))?(?: [A-Za-z_]\w*)*'
    r"(?:\(\d+(?:, ?-?\d+)?\))?(?: (?:with|without) time zone)?(?:\[\d*\])*",
    re.IGNORECASE,
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Symptom(_Part):
    """What the failing statement reports: an incident is this one if a statement fails like that."""

    kind: str = Field(description="the kind of failure, such as missing_column")
    sqlstate: str = Field(pattern=r"^[0-9A-Z]{5}$", description="the SQLSTATE, quoted, such as '42703'")
    names: list[str] = Field(default=[], description="names that the server's message must hold, in any language")


class Parameter(_Part):
    """A value that the person or the triage gives."""

    type: Literal["identifier", "text", "integer", "number", "boolean", "type", "directory"]
    default: Value = Field(description="used when no value is given")
    description: str


class Statement(_Part):
    """A statement of the application: it fails before the fix and passes after it."""

    id: Slug
    at: str = Field(description="where it stands in the application, as file:line")
    sql: str


class Expected(_Part):
    """One fact of the catalog that holds after the fix."""

    schema_: str = Field(
        default="", alias="schema", description="empty: the first schema of the search_path that has it"
    )
    table: str
    column: str = ""
    type: str = Field(default="", description="of the column, as format_type() prints it")
    not_null: bool | None = None
    index: str = Field(default="", description="the name of an index of the table")
    references: str = Field(default="", description="a table that a foreign key of this table points to")


class Sql(_Part):
    """DDL, written plainly: Mendbook runs it on a clone and derives the lock-safe steps from what it changed."""

    sql: str


class Migrations(_Part):
    """The pending migrations of a folder, in order, each recorded as its own tool records it."""

    migrations: str = Field(description="the folder, inside the runbook's")
    framework: str
    schema_: str = Field(default="", alias="schema", description=_LEDGER_SCHEMA)


class Ledger(_Part):
    """A migration recorded as done, as its own tool records it."""

    ledger: str = Field(description="the migration's name")
    framework: str
    schema_: str = Field(default="", alias="schema", description=_LEDGER_SCHEMA)


class Edit(_Part):
    """A change in one file of the application: the text to find stands in it exactly once."""

    edit: str = Field(description="the file, inside the application's directory")
    find: str
    replace: str


class Write(_Part):
    """A new file of the application."""

    write: str = Field(description="the file to make, inside the application's directory")
    content: str = Field(description="the file that holds its text, inside the runbook's folder")


class ExerciseStatement(_Part):
    """One statement of an exercise, with the number of rows it has to touch or return."""

    sql: str
    rows: int | None = Field(default=None, ge=0)


class Exercise(_Part):
    """Statements that are run, in one transaction that is always rolled back."""

    title: str
    statements: list[ExerciseStatement] = Field(min_length=1)


class Option(_Part):
    """One way to fix the incident."""

    id: Slug
    title: str
    advice: Literal["recommended", "possible", "advised_against", "not_offered"]
    reason: str = Field(default="", description="why it is advised against or not offered")
    pros: list[str] = Field(min_length=1)
    cons: list[str] = Field(min_length=1)
    steps: list[Sql | Migrations | Ledger | Edit | Write] = []
    becomes: dict[Slug, str] = Field(
        default={}, description="what the application sends afterwards in place of a statement"
    )
    expects: list[Expected] = []
    exercises: list[Exercise] = []
    by_hand: list[str] = Field(default=[], description="commands that do the same without Mendbook")

    @model_validator(mode="after")
    def _complete(self) -> Option:
        if self.advice in ("advised_against", "not_offered") and not self.reason:
            raise ValueError("say why in 'reason'")
        if self.advice != "not_offered" and not self.steps:
            raise ValueError("give at least one step, or mark the option not_offered with a reason")
        return self


class Text(_Part):
    """What stands in ``runbook.yaml``."""

    title: str
    summary: str
    root_cause: str
    impact: list[str] = Field(min_length=1)
    severity: Literal["critical", "high", "medium", "low"]
    risk: Literal["high", "medium", "low"]
    downtime: str
    before: list[str] = Field(min_length=1, description="what people see before the fix")
    after: list[str] = Field(min_length=1, description="what they see after it")
    symptoms: list[Symptom] = Field(min_length=1)
    parameters: dict[str, Parameter] = {}
    statements: list[Statement] = Field(min_length=1)
    expects: list[Expected] = []
    options: list[Option] = Field(min_length=1)
    notes: list[str] = []

    @field_validator("statements", "options")
    @classmethod
    def _distinct(cls, items: list[Any]) -> list[Any]:
        ids = [item.id for item in items]
        twice = {each for each in ids if ids.count(each) > 1}
        if twice:
            raise ValueError(f"the id {sorted(twice)[0]!r} is used twice")
        return items

    @model_validator(mode="after")
    def _coherent(self) -> Text:
        if sum(option.advice == "recommended" for option in self.options) != 1:
            raise ValueError("exactly one option is 'recommended'")
        known = {statement.id for statement in self.statements}
        for option in self.options:
            for unknown in option.becomes.keys() - known:
                raise ValueError(f"option {option.id!r}: 'becomes' names {unknown!r}, which is no statement's id")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Runbook:
    """A runbook folder, read and validated."""

    slug: str
    folder: Path
    text: Text

    @property
    def error(self) -> str:
        """What a person would paste."""
        return (self.folder / "error.txt").read_text(encoding="utf-8")

    @property
    def broken(self) -> str:
        """The script that builds the broken database."""
        return (self.folder / "broken.sql").read_text(encoding="utf-8")

    @property
    def healthy(self) -> str | None:
        """The script that builds a database without the incident, where the runbook has one."""
        path = self.folder / "healthy.sql"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def facts(self) -> list[tuple[str, str]]:
        """(label, value) pairs, for people."""
        text = self.text
        options = [f"{each.id}: {each.title} ({each.advice.replace('_', ' ')})" for each in text.options]
        return [
            ("incident", text.title),
            ("summary", text.summary),
            ("root cause", text.root_cause),
            ("impact", "\n".join(text.impact)),
            ("severity", f"{text.severity}; risk of the fix: {text.risk}; downtime: {text.downtime}"),
            ("options", "\n".join(options)),
            ("statements", "\n".join(f"{each.id} at {each.at}" for each in text.statements)),
            ("parameters", "\n".join(f"{n} = {p.default!r}: {p.description}" for n, p in text.parameters.items())),
        ]

    def _repr_html_(self) -> str:
        return render.facts_html(fact for fact in self.facts() if fact[1])

    def __str__(self) -> str:
        return render.facts_text(fact for fact in self.facts() if fact[1])

    def option(self, name: str = "") -> Option:
        """The option called *name*, or the recommended one. Raises `Usage` for one that is not offered."""
        options = {option.id: option for option in self.text.options}
        if not name:
            return next(option for option in self.text.options if option.advice == "recommended")
        if name not in options:
            raise Usage(f"{self.slug} has no option {name!r}; nothing was started. {nearest(name, options, 'option')}")
        if options[name].advice == "not_offered":
            raise Usage(f"The option {name} of {self.slug} is not offered; nothing was started. {options[name].reason}")
        return options[name]

    def values(self, given: Mapping[str, object]) -> dict[str, Value]:
        """The value of every parameter: *given* where it is there, else the default.

        Raises `Usage` for an unknown parameter or a value of the wrong type.
        """
        declared = self.text.parameters
        for name in given:
            if name not in declared:
                raise Usage(
                    f"{self.slug} has no parameter {name!r}; nothing was started. {nearest(name, declared, 'parameter')}"
                )
        return {name: coerce(name, each, given.get(name, each.default)) for name, each in declared.items()}

    def fill(self, template: str, values: Mapping[str, Value]) -> str:
        """SQL with each ``${name}`` replaced: identifiers quoted and values as literals, both by psycopg."""
        return _PLACEHOLDER.sub(lambda found: self._quoted(found[1], values), template)

    def _quoted(self, name: str, values: Mapping[str, Value]) -> str:
        kind, value = self.text.parameters[name].type, values[name]
        if kind == "identifier":
            return sql.Identifier(str(value)).as_string(None)
        return str(value) if kind == "type" else sql.Literal(value).as_string(None)


def plain(template: str, values: Mapping[str, Value]) -> str:
    """A name with each ``${name}`` replaced by the value as it is: for comparing, never for SQL."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def coerce(name: str, parameter: Parameter, given: object) -> Value:
    """Read a value as its parameter's type; raises `Usage` naming the parameter."""
    wrong = Usage(f"The parameter {name} wants {_WANTS[parameter.type]}, and got {given!r}; nothing was started.")
    match parameter.type:
        case "boolean":
            if str(given).lower() not in ("true", "false"):
                raise wrong
            return str(given).lower() == "true"
        case "integer" | "number":
            if isinstance(given, bool) or not re.fullmatch(
                r"[+-]?\d+" + r"(\.\d+)?" * (parameter.type == "number"), str(given)
            ):
                raise wrong
            return int(str(given)) if parameter.type == "integer" else float(str(given))
        case "identifier":
            if not isinstance(given, str) or not given or "\0" in given or len(given.encode()) > 63:
                raise wrong
        case "type":
            if not isinstance(given, str) or not _TYPE.fullmatch(given.strip()):
                raise wrong
        case _:
            if not isinstance(given, str) or "\0" in given:
                raise wrong
    return str(given)


_WANTS = {
    "identifier": "a name of 1 to 63 bytes",
    "text": "text without NUL characters",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "type": "a PostgreSQL type such as timestamptz or numeric(10,2)",
    "directory": "a directory",
}


# ---- the catalogue


def folders() -> list[Path]:
    """Where runbooks are looked for: ``MENDBOOK_RUNBOOKS``, ``./runbooks``, and Mendbook's own."""
    named = [Path(each) for each in os.environ.get("MENDBOOK_RUNBOOKS", "").split(os.pathsep) if each]
    return list(
        dict.fromkeys(path.resolve() for path in [*named, Path("runbooks"), shared("runbooks")] if path.is_dir())
    )


def shared(kind: str) -> Path:
    """Mendbook's own ``notebooks`` or ``runbooks``: in a checkout at its top, in a wheel beside the code."""
    package = Path(__file__).parent
    installed = package / "share" / kind
    return installed if installed.is_dir() else package.parents[1] / kind


def catalogue() -> dict[str, Path]:
    """Every runbook's folder by its slug, the first place that has it winning."""
    found: dict[str, Path] = {}
    for place in folders():
        for path in sorted(place.glob("*/runbook.yaml")):
            found.setdefault(path.parent.name, path.parent)
    return dict(sorted(found.items()))


def find(name: str) -> Runbook:
    """Load a runbook by slug or by the path of its folder; raises `Usage` or `BadRunbook`."""
    known = catalogue()
    if name in known:
        return load(known[name])
    if name and (Path(name) / "runbook.yaml").is_file():
        return load(Path(name))
    raise Usage(f"There is no runbook {name!r}; nothing was started. {nearest(name, known, 'runbook')}")


def load(folder: Path) -> Runbook:
    """Read and validate one folder; raises `BadRunbook` with every problem, each with file and line."""
    text, problems = _read(folder)
    if problems or text is None:
        raise BadRunbook("\n".join(problems))
    return Runbook(slug=folder.resolve().name, folder=folder.resolve(), text=text)


def problems(folder: Path) -> list[str]:
    """What is wrong with a folder, one line each: ``file:line: field: what to do``."""
    return _read(folder)[1]


def schema() -> dict[str, Any]:
    """The JSON Schema of ``runbook.yaml``, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Text.model_json_schema(by_alias=True)}


def nearest(name: str, known: Mapping[str, object], noun: str) -> str:
    """Say which of the *known* names was probably meant, or which there are."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There is {', '.join(known)}." if known else f"There is no {noun} at all."


# ---- reading with line numbers


def _read(folder: Path) -> tuple[Text | None, list[str]]:
    path = folder / "runbook.yaml"
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"{path}: cannot be read ({error}). Make it a UTF-8 text file."]
    try:
        data, lines = yaml.safe_load(source), _Lines(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        return None, [f"{path}{where}: not valid YAML: {getattr(error, 'problem', error)}."]
    try:
        text = Text.model_validate(data)
    except ValidationError as error:
        return None, [_problem(path, lines, each["loc"], each["msg"]) for each in error.errors()]
    return text, list(_loose_ends(folder, text, lines))


def _problem(path: Path, lines: _Lines, place: tuple[str | int, ...], message: str) -> str:
    # Pydantic puts the name of a union's member into the place; the file has no such level.
    place = tuple(each for each in place if each not in _MEMBERS)
    field = ".".join(map(str, place)) or "the file"
    return f"{path}:{lines.of(place)}: {field}: {message.removeprefix('Value error, ')}"


_MEMBERS = ("Sql", "Migrations", "Ledger", "Edit", "Write")


def _loose_ends(folder: Path, text: Text, lines: _Lines) -> Iterator[str]:
    path = folder / "runbook.yaml"
    for name in ("broken.sql", "error.txt"):
        if not (folder / name).is_file():
            yield f"{folder / name}: missing. Every runbook carries its own reproduction; write this file."
    for place, value in lines.scalars():
        for name in _PLACEHOLDER.findall(value):
            if name not in text.parameters:
                yield _problem(path, lines, place, f"${{{name}}} is no parameter; declare it under parameters")
    for at, option in enumerate(text.options):
        for index, step in enumerate(option.steps):
            wanted = step.content if isinstance(step, Write) else getattr(step, "migrations", None)
            if wanted and not (folder / wanted).exists():
                yield _problem(path, lines, ("options", at, "steps", index), f"{wanted} is not in the runbook's folder")
    for name, parameter in text.parameters.items():
        try:
            if parameter.type != "directory":
                coerce(name, parameter, parameter.default)
        except Usage as error:
            yield _problem(path, lines, ("parameters", name, "default"), str(error))


class _Lines:
    """The line of every node of a YAML document."""

    def __init__(self, source: str) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {}
        self._scalars: list[tuple[tuple[str | int, ...], str]] = []
        node = yaml.compose(source, Loader=yaml.SafeLoader)
        if node is not None:
            self._walk(node, ())

    def _walk(self, node: yaml.Node, place: tuple[str | int, ...]) -> None:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._lines[(*place, key.value)] = key.start_mark.line + 1
                self._walk(value, (*place, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._walk(value, (*place, index))
        else:
            self._scalars.append((place, str(node.value)))

    def of(self, place: tuple[str | int, ...]) -> int:
        """The line of a place, or of the nearest place around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def scalars(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Every scalar, with its place."""
        return self._scalars
