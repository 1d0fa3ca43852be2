"""A Runbook: one incident, as one folder that people write; and the catalogue of them, found by listing.

A folder holds ``runbook.yaml``, ``broken.sql`` (a script that builds the broken database), ``error.txt`` (what a person
would paste), and where it needs them ``healthy.sql``, a small ``app/`` tree, and ``sessions.sql`` (what each session
did that is open meanwhile, below a line ``-- session: NAME``).
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from pydantic import ValidationError

from mendbook import ledger, lexer, render, yaml_file
from mendbook.errors import BadRunbook, Usage
from mendbook.runbook_text import FIELDS, Ledger, Migrations, Option, Parameter, Statement, Step, Text, Value, Write
from mendbook.runbook_values import PLAIN_SQL, coerce
from mendbook.yaml_file import Place, YamlFile

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_SESSION = re.compile(r"^-- session: *(.*?) *$", re.MULTILINE)
_IN_SQL = re.compile(r"'\$\{(?P<literal>\w+)\}'|\$\{(?P<name>\w+)\}(?P<dot>\.?)")


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

    @property
    def sessions(self) -> list[tuple[str, str]]:
        """(name, SQL) of each session that is open while the incident lasts."""
        return _sessions(self.folder)[1]

    def facts(self) -> list[tuple[str, str]]:
        """(label, value) pairs, for people."""
        text = self.text
        return [
            ("incident", text.title),
            ("summary", text.summary),
            ("root cause", text.root_cause),
            ("impact", "\n".join(text.impact)),
            ("severity", f"{text.severity}; risk of the fix: {text.risk}; downtime: {text.downtime}"),
            *((f"option {each.id}", _option(each)) for each in text.options),
            ("statements", "\n".join(_placed(each) for each in text.statements)),
            ("parameters", "\n".join(_described(name, each) for name, each in text.parameters.items())),
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

        Raises `Usage` for an unknown parameter, a value of the wrong type, and one that is needed and not given.
        """
        declared = self.text.parameters
        for name in given:
            if name not in declared:
                hint = nearest(name, declared, "parameter")
                raise Usage(f"{self.slug} has no parameter {name!r}; nothing was started. {hint}")
        needed = [name for name, each in declared.items() if given.get(name, each.default) is None]
        if needed:
            wants = "".join(f"\n  -p {name}=…  {declared[name].description}" for name in needed)
            count = render.words(len(needed), "more value")
            raise Usage(f"{self.slug} needs {count}; nothing was started. Give:{wants}")
        return {name: coerce(name, each, given.get(name, each.default)) for name, each in declared.items()}

    @property
    def example(self) -> dict[str, Value]:
        """What a person would answer for the runbook's own database; files and directories are those in its folder."""
        return {name: self._own(name, value) for name, value in self.text.example.items()}

    def _own(self, name: str, value: Value) -> Value:
        match self.text.parameters[name].type:
            case "directory":
                return str(self.folder / str(value))
            case "expectation":
                form, _, place = str(value).partition(":")
                return f"{form}:{self.folder / place}"
        return value

    def statements(self, values: Mapping[str, Value], option: Option | None = None) -> list[Statement]:
        """The statements with *values* filled in, as the application sends them once *option* is in place.

        One of which nothing is left, since the error text did not hold it, is left out.
        """
        becomes = option.becomes if option else {}
        filled = [
            each.model_copy(
                update={"at": plain(each.at, values), "sql": self.fill(becomes.get(each.id, each.sql), values)}
            )
            for each in self.text.statements
        ]
        return [each for each in filled if each.sql.strip() or each.recorded or each.stated]

    def fill(self, template: str, values: Mapping[str, Value]) -> str:
        """SQL with each ``${name}`` replaced: identifiers quoted and values as literals, both by psycopg.

        ``'${name}'`` becomes a literal that holds the quoted identifier, as a cast to regclass wants it. An identifier
        that is left empty is nothing there, and elsewhere goes with the dot behind it: ``${schema}.${table}`` is then
        looked up in the search_path. What has no value stays.
        """

        def put(found: re.Match[str]) -> str:
            if (found["literal"] or found["name"]) not in values:
                return found[0]
            if found["literal"]:
                value = values[found["literal"]]
                return sql.Literal(value and self._quoted(found["literal"], values)).as_string(None)
            if values[found["name"]] == "" and self.text.parameters[found["name"]].type == "identifier":
                return ""
            return self._quoted(found["name"], values) + found["dot"]

        return _IN_SQL.sub(put, template)

    def _quoted(self, name: str, values: Mapping[str, Value]) -> str:
        kind, value = self.text.parameters[name].type, values[name]
        if kind in ("identifier", "identifiers"):
            names = str(value).split(",") if kind == "identifiers" else [str(value)]
            return ", ".join(sql.Identifier(each).as_string(None) for each in names)
        return str(value) if kind in PLAIN_SQL else sql.Literal(value).as_string(None)


def _placed(statement: Statement) -> str:
    """A statement's id, and its place where the runbook itself knows it."""
    return statement.id if "${" in statement.at else f"{statement.id} at {statement.at}"


def _option(option: Option) -> str:
    advice = option.advice.replace("_", " ")
    lines = [
        f"{option.title} ({advice})",
        *(f"+ {each}" for each in option.pros),
        *(f"- {each}" for each in option.cons),
    ]
    return "\n".join([*lines, option.reason] if option.reason else lines)


def plain(template: str, values: Mapping[str, Value]) -> str:
    """A name with each ``${name}`` that has a value replaced by it as it is: for comparing, never for SQL."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), template)


def _described(name: str, parameter: Parameter) -> str:
    default = "" if parameter.default is None else f" = {parameter.default!r}"
    return f"{name}{default}: {parameter.description}"


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


# ---- reading


def _read(folder: Path) -> tuple[Text | None, list[str]]:
    try:
        file = yaml_file.read(folder / "runbook.yaml")
    except Usage as error:
        return None, [str(error)]
    try:
        text = Text.model_validate(file.data)
    except ValidationError as error:
        return None, list(file.explain(error, FIELDS))
    return text, list(_loose_ends(folder, text, file))


def _loose_ends(folder: Path, text: Text, file: YamlFile) -> Iterator[str]:
    for name in ("broken.sql", "error.txt"):
        try:
            (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            yield f"{folder / name}: missing, or no UTF-8 text. Every runbook carries its own reproduction; write it."
    yield from _session_problems(folder)
    for place in file.repeated:
        yield file.problem(place, "this field stands twice, and only the last would count; keep one")
    for place, value in file.scalars:
        for problem in _placeholder_problems(text, place, value):
            yield file.problem(place, problem)
    for at, statement in enumerate(text.statements):
        for problem in _step_problems(folder, statement.recorded) if statement.recorded else ():
            yield file.problem(("statements", at, "recorded"), problem)
    known = {statement.id for statement in text.statements}
    for at, option in enumerate(text.options):
        for name in option.becomes.keys() - known:
            yield file.problem(("options", at, "becomes", name), "this is no statement's id; name one of statements")
        for index, step in enumerate(option.steps):
            for problem in _step_problems(folder, step):
                yield file.problem(("options", at, "steps", index), problem)
    for name, parameter in text.parameters.items():
        places: dict[Place, Value | None] = {
            ("parameters", name, "default"): parameter.default,
            ("example", name): text.example.get(name),
        }
        for place, given in places.items():
            try:
                _ = None if given is None else coerce(name, parameter, given)
            except Usage as error:
                yield file.problem(place, str(error))
    for name in text.example.keys() - text.parameters.keys():
        yield file.problem(("example", name), "this is no parameter; declare it under parameters")


def _is_parsed(text: Text, place: Place) -> bool:
    """Whether what stands there is a statement of the application, and no question to the catalog."""
    return place[0] == "statements" and not text.statements[int(place[1])].fails_with


def _placeholder_problems(text: Text, place: Place, value: str) -> Iterator[str]:
    """What would be filled in wrong: SQL that a person gives is Parsed, or run on a clone, and never anything else."""
    for name in _PLACEHOLDER.findall(value):
        kind = text.parameters[name].type if name in text.parameters else ""
        if not kind:
            yield f"${{{name}}} is no parameter; declare it under parameters"
        elif kind == "statement" and not (_is_parsed(text, place) or "becomes" in place):
            yield f"${{{name}}} is a statement, which is only ever parsed; use it under statements"
        elif kind in ("expression", "ddl") and ("steps" not in place or place[-1] == "end_sessions"):
            yield f"${{{name}}} is SQL that a person gives, which only ever runs on a clone; use it in a step"
    if place[-1] in ("sql", "end_sessions"):
        for token in lexer.tokens(value):
            if token.kind in ("string", "comment") and "${" in token.text and not _IN_SQL.fullmatch(token.text):
                yield f"{token.text}: a value stands alone in its quotes, as in '${{name}}', or without quotes"


def _sessions(folder: Path) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first session in ``sessions.sql``, and (name, SQL) of each."""
    path = folder / "sessions.sql"
    before, *parts = _SESSION.split(path.read_text(encoding="utf-8")) if path.exists() else [""]
    return before, list(zip(parts[::2], parts[1::2], strict=True))


def _session_problems(folder: Path) -> Iterator[str]:
    path = folder / "sessions.sql"
    try:
        before, sessions = _sessions(folder)
    except (OSError, UnicodeDecodeError):
        yield f"{path}: this is no UTF-8 text; write what each session did."
        return
    if lexer.significant(before) or (path.exists() and not sessions):
        yield f"{path}: each session begins with a line of its own: -- session: NAME"
    names = [name for name, _ in sessions]
    for name, text in sessions:
        if not name or names.count(name) > 1:
            yield f"{path}: the session {name!r} needs a name of its own; give it one"
        pieces = lexer.split(text)
        if not pieces or any(piece.kind != "sql" for piece in pieces):
            yield f"{path}: the session {name!r} needs SQL statements, and nothing else"


def _step_problems(folder: Path, step: Step) -> Iterator[str]:
    match step:
        case Write(content=wanted) | Migrations(migrations=wanted) | Ledger(folder=wanted):
            pass
        case _:
            wanted = ""
    if wanted and "${" not in wanted and not (folder / wanted).exists():
        yield f"{wanted} is not in the runbook's folder; put it there"
    if isinstance(step, Migrations | Ledger) and "${" not in step.framework:
        try:
            ledger.of(step.framework)
        except Usage as error:
            yield str(error)
