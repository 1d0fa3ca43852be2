"""What stands in ``runbook.yaml``: every field, with its type and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Value = str | int | float | bool
Kind = (
    Literal["identifier", "identifiers", "text", "integer", "number", "boolean", "type", "directory", "expectation"]
    | Literal["statement", "expression", "ddl", "privileges", "timestamp"]
)
Source = (
    Literal["privileges", "schema", "table", "column", "columns", "constraint", "function", "type", "label"]
    | Literal["role", "time", "statement", "location", "ledger"]
)

_LEDGER_SCHEMA = "where the ledger is; empty: the first schema of the search_path that has it"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Symptom(_Part):
    """What the failing statement reports: an incident is this one if a statement fails like that."""

    kind: str = Field(description="the kind of failure, such as missing_column")
    sqlstate: str = Field(pattern=r"^[0-9A-Z]{5}$", description="the SQLSTATE, quoted, such as '42703'")
    names: list[str] = Field(default=[], description="names that the server's message must hold, in any language")


class Parameter(_Part):
    """A value that the person or the triage gives."""

    type: Kind
    default: Value | None = Field(default=None, description="used when no value is given; without it one must be")
    from_: Source | Literal[""] = Field(default="", alias="from", description="what a Diagnosis says that is the value")
    description: str


class Statement(_Part):
    """A statement of the application: it fails before the fix and passes after it."""

    id: Slug
    at: str = Field(description="where it stands in the application, as file:line")
    sql: str = ""
    recorded: Ledger | None = Field(
        default=None, description="in place of sql: it fails while this migration is not recorded as done"
    )
    stated: str = Field(
        default="",
        description="in place of sql: it fails while the database lacks what this expectation has, such as sql:FILE",
    )
    fails_with: str = Field(
        default="",
        pattern=r"^([0-9A-Z]{5})?$",
        description="for a fault that shows only when a statement runs: sql is a question to the catalog instead, run "
        "read-only, and a row that it returns is a failure with this SQLSTATE, said by its first column",
    )
    on_clone: bool = Field(
        default=True, description="false where a clone cannot show the fault, such as one of sessions"
    )

    @model_validator(mode="after")
    def _complete(self) -> Statement:
        if sum(map(bool, (self.sql, self.recorded, self.stated))) != 1:
            raise ValueError("give one of sql, recorded and stated")
        if not self.sql and not self.fails_with:
            raise ValueError("say in fails_with what the application reports while that does not hold")
        return self


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
    folder: str = Field(
        default="", description="the folder that holds it: what it makes is held against the target before"
    )
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


class EndSessions(_Part):
    """Idle sessions of the target, each ended by its pid: those that there are when the plan is made."""

    end_sessions: str = Field(
        description="SQL, run read-only, that returns pids; those that are not idle are left alone"
    )


class Setting(_Part):
    """A setting for new sessions of a role in this database, as ALTER ROLE … IN DATABASE … SET makes it."""

    setting: str = Field(pattern=r"^[a-z_.]+$", description="its name, such as search_path")
    value: str
    role: str = Field(default="", description="whose new sessions; empty: those of the target's role")


class Stated(_Part):
    """What makes the database what an expectation says, save what would be dropped or lost."""

    stated: str = Field(description="the expectation, such as sql:FILE or alembic:DIR")


_STEPS: Mapping[str, type[_Part]] = {
    "sql": Sql,
    "migrations": Migrations,
    "ledger": Ledger,
    "edit": Edit,
    "write": Write,
    "end_sessions": EndSessions,
    "setting": Setting,
    "stated": Stated,
}


def _step_class(step: object) -> str | None:
    if isinstance(step, dict):
        return next((part.__name__ for key, part in _STEPS.items() if key in step), None)
    return type(step).__name__


Step = Annotated[
    Annotated[Sql, Tag("Sql")]
    | Annotated[Migrations, Tag("Migrations")]
    | Annotated[Ledger, Tag("Ledger")]
    | Annotated[Edit, Tag("Edit")]
    | Annotated[Write, Tag("Write")]
    | Annotated[EndSessions, Tag("EndSessions")]
    | Annotated[Setting, Tag("Setting")]
    | Annotated[Stated, Tag("Stated")],
    Discriminator(
        _step_class,
        custom_error_type="step",
        custom_error_message=f"a step has one of the fields {', '.join(_STEPS)}",
    ),
]


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
    steps: list[Step] = []
    becomes: dict[Slug, str] = Field(
        default={}, description="what the application sends afterwards in place of a statement"
    )
    expects: list[Expected] = []
    exercises: list[Exercise] = []
    by_hand: list[str] = Field(
        default=[], description="what does the same without Mendbook; where there are no steps, all that is done"
    )

    @model_validator(mode="after")
    def _complete(self) -> Option:
        if self.advice in ("advised_against", "not_offered") and not self.reason:
            raise ValueError("say why in 'reason'")
        if self.advice != "not_offered" and not self.steps and not self.by_hand:
            raise ValueError("give at least one step or by_hand, or mark the option not_offered with a reason")
        if self.advice == "recommended" and any(isinstance(step, EndSessions) for step in self.steps):
            raise ValueError("a session is only ended where the reader asks for it; recommend another option")
        return self

    @property
    def done_by_hand(self) -> bool:
        """Whether Mendbook changes nothing itself, and only verifies what the reader did."""
        return not self.steps


class Text(_Part):
    """What stands in ``runbook.yaml``."""

    title: str
    generic: bool = Field(default=False, description="it is for a kind of incident, and triage fills its parameters")
    summary: str
    root_cause: str
    impact: list[str] = Field(min_length=1)
    severity: Literal["critical", "high", "medium", "low"]
    risk: Literal["high", "medium", "low"]
    downtime: str
    before: list[str] = Field(min_length=1, description="what people see before the fix")
    after: list[str] = Field(min_length=1, description="what they see after it")
    symptoms: list[Symptom] = Field(min_length=1)
    causes: list[str] = Field(
        default=[],
        description="of a generic one: which causes it mends, as triage --json says them of a target",
    )
    parameters: dict[str, Parameter] = {}
    example: dict[str, Value] = Field(
        default={}, description="what a person answers for broken.sql and error.txt where the text does not say it"
    )
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
            raise ValueError(f"the id {sorted(twice)[0]!r} is used twice; give each its own")
        return items

    @field_validator("options")
    @classmethod
    def _one_recommended(cls, options: list[Option]) -> list[Option]:
        if sum(option.advice == "recommended" for option in options) != 1:
            raise ValueError("exactly one option has the advice 'recommended'")
        return options


_PARTS: tuple[type[_Part], ...] = (
    *(Text, Symptom, Parameter, Statement, Option, Expected, Exercise, ExerciseStatement),
    *_STEPS.values(),
)
FIELDS = {field.alias or name for part in _PARTS for name, field in part.model_fields.items()}
