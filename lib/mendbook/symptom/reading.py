"""`Reading`: everything that a text says about one of its errors, value by value, with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mendbook import frameworks
from mendbook.frameworks import Framework
from mendbook.symptom import fields, location, quotation, sighting
from mendbook.symptom.case import Case
from mendbook.symptom.envelope import View
from mendbook.symptom.placeholders import Parameter
from mendbook.symptom.quotation import Quotation, Table
from mendbook.symptom.sighting import Sighting

Certainty = Literal["stated", "derived", "guessed"]

_REPORTED = ("schema", "table", "column", "constraint")  # fields of the server's report, which are never qualified
_QUALIFIED = {"relation": "table", "routine": "function", "typename": "type"}
_REPORT = 400  # characters that those fields are spread over
_NEEDS_TABLE = frozenset({"missing_column", "missing_constraint", "type_mismatch", "not_null_violation"})
_CONFLICT = "42P10"  # its message names nothing; the statement's table is meant
_SHORTEST_TABLE = 4  # characters: a shorter qualifier is more likely an alias
_LINE = 2000  # characters of a line before and after a message that are looked at
_BOTTOM = ("postgres-server-log", "psql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One value, and where in the pasted text it was read."""

    field: str  # a field of Diagnosis
    value: str
    certainty: Certainty
    start: int  # characters from the beginning of the text
    end: int


class Reading:
    """Reads one case in its part of the text; the first value said for a field stands."""

    def __init__(self, views: Sequence[View], case: Case, start: int, end: int) -> None:
        self.case = case
        self.parts = [part for view in views if (part := view.part(start, end)).text]
        self.said: dict[str, Evidence] = {}
        self.quotations: list[tuple[View, Quotation]] = []
        self._read_error()
        self._read_names()
        self._read_report()
        self._read_framework()
        self._read_statement()
        self._read_at_position()
        self._read_tables()
        self._read_location()

    def value(self, field: str) -> str | None:
        """What is said for *field*."""
        return self.said[field].value if field in self.said else None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the statement."""
        statement = self.value("statement")
        return next((one.parameters for _, one in self.quotations if one.sql == statement), ())

    def _say(self, field: str, value: str | None, certainty: Certainty, view: View, start: int, end: int) -> None:
        if value and field not in self.said:
            first = view.source(start)
            self.said[field] = Evidence(
                field=field,
                value=value,
                certainty=certainty,
                start=first,
                end=max(view.source(max(start, end - 1)) + 1, first),
            )

    # The error

    def _read_error(self) -> None:
        best = self.case.best
        spoken = best.means in ("server", "framework", "severity")
        self._say("kind", self.case.kind, "stated" if spoken else "derived", best.view, best.start, best.end)
        if spoken:
            self._say("message", best.text.strip(), "stated", best.view, best.start, best.end)
        codes = sorted(
            (one for one in self.case.sightings if one.sqlstate),
            key=lambda one: (not one.stated, one.means != "condition", one.sqlstate != best.sqlstate),
        )
        for one in codes[:1]:
            certainty: Certainty = "stated" if one.stated else "derived"
            self._say("sqlstate", one.sqlstate, certainty, one.view, one.start, one.end)

    def _read_names(self) -> None:
        for one in sorted(self.case.sightings, key=lambda one: (one is not self.case.best, one.place)):
            for slot, name in one.names.items():
                if slot in _QUALIFIED:
                    self._say_qualified(slot, name.value, one, name.start, name.end)
                elif slot != "record":
                    self._say(slot, name.value, "stated", one.view, name.start, name.end)

    def _read_report(self) -> None:
        """The names that the server's report has beside the message.

        It has a table or a constraint only together with their schema; fields that stand alone are the application's.
        """
        for part in self.parts:
            found = [one for one in (*fields.named(part.text), *fields.labelled(part.text)) if one.name in _REPORTED]
            for schema in (one for one in found if one.name == "schema"):
                beside = [one for one in found if abs(one.start - schema.start) <= _REPORT]
                tables = {one.value for one in beside if one.name == "table"}
                if len(tables) == 1 and self.value("table") in (None, *tables):
                    for one in beside:
                        self._say(one.name, one.value, "stated", part, one.start, one.end)

    def _say_qualified(self, slot: str, value: str, one: Sighting, start: int, end: int) -> None:
        field = _QUALIFIED[slot]
        if field not in self.said:
            schema, name = split(value.partition("(")[0] if slot == "routine" else value)
            self._say("schema", schema, "stated", one.view, start, end)
            self._say(field, name, "stated", one.view, start, end)

    # The framework

    def _read_framework(self) -> None:
        listing = frameworks.listing()
        best = self.case.best
        text = best.view.text
        line_start = max(text.rfind("\n", 0, best.start) + 1, best.start - _LINE)
        line_end = text.find("\n", best.end, best.end + _LINE)
        line = text[line_start : line_end if line_end >= 0 else best.end + _LINE]
        for name in _BOTTOM:
            if sighting.shows(line, listing[name]):
                return self._say("framework", name, "stated", best.view, line_start, best.end)
        spoken = {one.framework for one in self.case.sightings}
        shown = [
            framework
            for framework in listing.values()
            if framework.name in spoken or any(sighting.shows(part.text, framework) for part in self.parts)
        ]
        top = uppermost(shown)
        if top:
            return self._say("framework", top.name, "stated", best.view, best.start, best.end)
        for framework in listing.values():
            if any(sighting.compiled(hint).search(line) for hint in framework.hints):
                return self._say("framework", framework.name, "guessed", best.view, best.start, best.end)
        return None

    # The statement

    def _read_statement(self) -> None:
        for part in self.parts:
            start, _ = self._span_in(part)
            reported = sorted(quotation.reported(part.text), key=lambda one: one.start < start)
            self.quotations += [(part, one) for one in reported]
        for part in reversed(self.parts):
            printed = quotation.printed(part.text, self.value("message") or "", *self._span_in(part))
            self.quotations += [(part, one) for one in printed]
        for part, one in self.quotations:
            if one.whole and not one.inner:
                self._say("statement", one.sql, "stated", part, one.start, one.end)
            elif one.inner:
                self._say("inner", one.sql, "stated", part, one.start, one.end)
            else:
                self._say("fragment", one.sql, "stated", part, one.start, one.end)
        if "inner" in self.said and "statement" not in self.said:
            self.said["statement"] = replace(self.said["inner"], field="statement")

    def _span_in(self, part: View) -> tuple[int, int]:
        """Where the case is first seen in *part*."""
        first = min(self.case.sightings, key=lambda one: one.place)
        start = part.position(first.place)
        return start, max(start, part.position(first.place_end))

    # Tables

    def _read_tables(self) -> None:
        """Tell the table from the SQL, or guess it from what qualifies the column."""
        best = self.case.best
        relation = best.names.get("relation")
        for part, one in sorted(self.quotations, key=lambda found: not found[1].inner):
            known = one.tables
            if relation and any(table == relation.value for _, table in known.values()):
                self.said.pop("schema", None)  # one quoted name with a dot in it
                self.said.pop("table", None)
                self._say("table", relation.value, "stated", best.view, relation.start, relation.end)
            found, certainty = self._from_sql(one, known)
            if found:
                self._say_table(found, certainty, part, one)
        if "table" not in self.said and self.case.kind == "missing_column" and not self._shows_tables():
            self._guess_table()

    def _read_at_position(self) -> None:
        """Where no message names the object, the SQL does at the position that the report gives (1-based)."""
        if self.case.best.names or self.case.kind not in ("missing_column", "missing_table"):
            return
        positions = [field for part in self.parts for field in fields.named(part.text) if field.name == "position"]
        for part, one in self.quotations if positions else ():
            at = next((field.value for field in positions if ("nternal" in field.key) == one.inner), "")
            name = quotation.name_at(one.sql, int(at) - 1) if one.whole and at.isdecimal() and len(at) < 9 else ()
            slots = ("schema", "table") if self.case.kind == "missing_table" else ("alias", "column")
            for slot, value in zip(reversed(slots), reversed(name), strict=False):
                self._say(slot, value, "derived", part, one.start, one.end)

    def _say_table(self, table: Table, certainty: Certainty, part: View, one: Quotation) -> None:
        if "table" not in self.said:
            self._say("table", table[1], certainty, part, one.start, one.end)
        if self.value("table") == table[1] and self.said["table"].certainty != "guessed":
            self._say("schema", table[0], "derived", part, one.start, one.end)

    def _from_sql(self, one: Quotation, known: Mapping[str, Table]) -> tuple[Table | None, Certainty]:
        """The table that *one* tells, if it does."""
        table = self.value("table")
        if table:
            same = {entry for entry in known.values() if entry[1] == table}
            return (same.pop() if len(same) == 1 else None), "derived"
        if not self.said.keys() & {"column", "constraint"} and self.value("sqlstate") != _CONFLICT:
            return None, "derived"
        if self.case.kind not in _NEEDS_TABLE and "constraint" not in self.said:
            return None, "derived"
        if "alias" in self.said:
            return self._by_alias(known) or self._by_full_name(one), "derived"
        column = self.value("column") or ""
        if column in (referred := quotation.referenced(one.sql)):
            return (None if column in quotation.referring(one.sql) else referred[column]), "derived"
        entries = set(known.values())
        if len(entries) != 1 or not one.closed:
            return None, "derived"
        within = "record" in self.case.best.names or any("PL/pgSQL" in part.text for part in self.parts)
        nested = one.sql.upper().count("SELECT") > 1 or (within and not one.inner)
        return entries.pop(), "guessed" if nested else "derived"

    def _by_alias(self, known: Mapping[str, Table]) -> Table | None:
        """The table that the qualifier stands for; either name may hold dots, so every dot is tried."""
        if self.value("alias") == "excluded":  # the row that an INSERT … ON CONFLICT proposes, so its own table
            return next(iter(known.values()), None)
        whole = f"{self.value('alias')}.{self.value('column')}"
        for dot, character in enumerate(whole):
            if character == "." and whole[:dot] in known:
                for field, value in (("alias", whole[:dot]), ("column", whole[dot + 1 :])):
                    self.said[field] = replace(self.said[field], value=value)
                return known[whole[:dot]]
        return None

    def _by_full_name(self, one: Quotation) -> Table | None:
        """The table of columns that the SQL writes with its schema, where the FROM is not to be seen."""
        alias = self.value("alias") or ""
        schemas = quotation.schemas(one.sql, alias)
        return (schemas.pop(), alias) if len(schemas) == 1 else None

    def _shows_tables(self) -> bool:
        """Whether all tables of the statement are seen, so that a name that is none of them is no table."""
        return any(one.closed and one.tables for _, one in self.quotations)

    def _guess_table(self) -> None:
        """A qualifier that no SQL explains may be the table's own name."""
        alias = self.said.get("alias")
        framework = frameworks.listing().get(self.value("framework") or "")
        by = framework.qualifies_by if framework else None
        if alias and by != "alias" and (by == "table" or _like_a_table(alias.value)):
            self.said["table"] = replace(alias, field="table", certainty="guessed")

    # The place in the application

    def _read_location(self) -> None:
        if self.value("framework") == "postgres-server-log":
            return
        for part in reversed(self.parts):
            start, end = self._span_in(part)
            frame = location.innermost(part.text, start, end)
            if frame:
                path = location.relative(frame.path, list(location.frames(part.text)))
                self._say("location", f"{path}:{frame.line}", "stated", part, frame.start, frame.end)


def split(name: str) -> Table:
    """Split a name that the server prints, quoted only where it must be, into schema and name."""
    from mendbook.symptom import statements

    name = name.strip().removesuffix("[]")
    if '"' in name:
        parts = statements.parts(name)
        return (parts[-2] if len(parts) > 1 else None, parts[-1]) if parts else (None, name)
    schema, dot, rest = name.rpartition(".") if name.count(".") > 1 else name.partition(".")
    return (schema.rpartition(".")[2], rest) if dot and schema and rest else (None, name)


def uppermost(shown: Sequence[Framework]) -> Framework | None:
    """Of the frameworks that a text shows, the one that stands on the others; the bottom ones count only alone."""
    upper = [framework for framework in shown if framework.name not in _BOTTOM] or list(shown)
    beneath = {name for framework in upper for name in _beneath(framework)}
    return next((framework for framework in upper if framework.name not in beneath), None)


def _beneath(framework: Framework) -> Iterator[str]:
    for name in framework.over:
        yield name
        yield from _beneath(frameworks.listing()[name])


def _like_a_table(name: str) -> bool:
    return len(name) >= _SHORTEST_TABLE and name.islower() and not name[-1].isdigit() and name != "excluded"
