"""The checks of what is there, and not as the statement takes it: twice, of another type, without a default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mendbook import lexer
from mendbook.symptom import absence, statements, subject
from mendbook.symptom.facts import Column
from mendbook.symptom.finding import Finding, confirmed, listed, ruled_out, unknown, written
from mendbook.symptom.inquiry import Inquiry

_AT_PARSE = frozenset({"42804", "42846", "42883", "42P08", "42P18"})  # type errors that Parse gives, and not a value


def duplicate(inquiry: Inquiry) -> Iterator[Finding]:
    """Does what cannot be made exist already, and does the migration ledger know?"""
    diagnosis = inquiry.diagnosis
    yield absence.other_database(inquiry)
    name, there = _existing(inquiry)
    if name is None or there is None:
        yield unknown("exists_already", "The text does not name what exists already, or this role cannot read it.")
        return
    if there:
        yield confirmed("exists_already", f"{written(name)} exists already.", there)
    else:
        yield ruled_out("exists_already", f"{written(name)} does not exist here.")
        yield confirmed("fixed_meanwhile", f"{written(name)} is gone by now, or it was never in this database.")
    yield absence.ledger(inquiry, name, diagnosis.table if name != diagnosis.table else None)


def _existing(inquiry: Inquiry) -> tuple[str | None, list[str] | None]:
    """The name of what cannot be made, and everything of that name."""
    diagnosis, facts = inquiry.diagnosis, inquiry.facts
    for name, parts in ((diagnosis.column, facts.columns), (diagnosis.constraint, facts.constraints)):
        if name:
            tables = {table for _, table in subject.candidates(inquiry)}
            own = [each for each in parts or () if each.name == name and (not tables or each.table in tables)]
            return name, None if parts is None else [written(each.schema, each.table, each.name) for each in own]
    for name, items in (
        (diagnosis.function, facts.functions),
        (diagnosis.type, facts.types),
        (diagnosis.table, facts.relations),
        (diagnosis.schema, facts.schemas),
        (diagnosis.database, facts.databases),
    ):
        if name:
            mine = [each for each in items or () if each.name == name and diagnosis.schema in (None, each.schema, name)]
            return name, None if items is None else [f"{each.kind} {each}" for each in mine]
    if diagnosis.role:
        return diagnosis.role, [f"role {written(each.name)}" for each in inquiry.facts.roles or ()]
    return None, None


def types(inquiry: Inquiry) -> Iterator[Finding]:
    """Of what type are the columns that the statement uses?"""
    yield absence.other_database(inquiry)
    columns = _columns(inquiry)
    shown = [f"{written(each.schema, each.table, each.name)} {each.type}" for each in columns]
    at_parse = inquiry.diagnosis.sqlstate in _AT_PARSE
    if inquiry.statement and at_parse and inquiry.refusal is None:
        yield confirmed("fixed_meanwhile", "The server now takes the statement.", shown)
        return
    if inquiry.statement and at_parse:
        yield ruled_out("fixed_meanwhile", "The server refuses the statement now as well.", [inquiry.complaint])
    if columns:
        named = listed(f"{written(each.table, each.name)} is of type {each.type}" for each in columns[:3])
        yield confirmed("other_type", f"{named} here.", shown)
    else:
        yield unknown("other_type", "Neither the text nor the statement names a column whose type could be looked up.")


def not_null(inquiry: Inquiry) -> Iterator[Finding]:
    """Does the column refuse NULL, and does it have a default?"""
    yield absence.other_database(inquiry)
    columns = [each for each in _columns(inquiry) if each.name == inquiry.diagnosis.column]
    if not columns:
        yield unknown("no_default", "The text and the statement do not lead to a column that could be looked up.")
        return
    column = columns[0]
    name = written(column.schema, column.table, column.name)
    shown = [
        f"{name} {column.type}" + " NOT NULL" * column.not_null + f" DEFAULT {column.default}" * bool(column.default)
    ]
    has_default = bool(column.default) or column.generated
    if not column.not_null:
        yield _nullable(inquiry, name, shown)
    elif has_default:
        yield ruled_out("no_default", f"{name} has a default.", shown)
        yield confirmed("explicit_null", f"{name} has a default, so the statement itself gives it NULL.", shown)
    else:
        yield ruled_out("fixed_meanwhile", f"{name} still refuses NULL.", shown)
        yield confirmed(
            "no_default", f"{name} refuses NULL and has no default, and the statement gives it no value.", shown
        )


def _nullable(inquiry: Inquiry, name: str, shown: Sequence[str]) -> Finding:
    if inquiry.statement:
        return confirmed("fixed_meanwhile", f"{name} takes NULL now.", shown)
    return unknown("fixed_meanwhile", f"{name} takes NULL now: what failed may have been to forbid it.", shown)


def unique(inquiry: Inquiry) -> Iterator[Finding]:
    """Is there a unique index on the columns that must have one, and is it valid?"""
    yield absence.other_database(inquiry)
    tables = subject.candidates(inquiry)
    name = listed((written(*table) for table in tables), "or")
    if inquiry.facts.indexes is None or not tables:
        yield unknown("missing", "Neither the text nor the statement names the table that lacks a unique index.")
        return
    found = {each.parts for each in subject.resolved(inquiry, tables)}
    indexes = [each for each in inquiry.facts.indexes if (each.schema, each.table) in found]
    wanted = _unique_columns(inquiry)
    fitting = [each for each in indexes if each.whole and wanted and set(each.columns or ()) == wanted]
    broken = [each.definition for each in fitting or indexes if not each.valid]
    if broken:
        yield confirmed("invalid_index", f"{name} has a unique index that is not valid, so it does not count.", broken)
    else:
        yield ruled_out("invalid_index", f"{name} has no unique index that is not valid.")
    shown = [each.definition for each in indexes]
    of_columns = f" on {', '.join(map(written, sorted(wanted)))}" if wanted else ""
    if any(each.valid for each in fitting):
        yield confirmed("fixed_meanwhile", f"{name} has a unique index{of_columns} now.", shown)
    elif wanted:
        yield ruled_out("fixed_meanwhile", f"{name} has no valid unique index{of_columns} now either.", shown)
        yield confirmed("missing", f"{name} has no unique index{of_columns} that counts without a condition.", shown)
    else:
        yield unknown("missing", f"The text does not tell on which columns {name} lacks a unique index.", shown)


def _unique_columns(inquiry: Inquiry) -> set[str]:
    """The columns of ``ON CONFLICT (…)`` or ``REFERENCES t (…)`` in the failing SQL; none where there is more to it."""
    read = lexer.significant(inquiry.sql)
    words = [token.text.upper() for token in read]
    for at in (at for at, word in enumerate(words) if word in ("CONFLICT", "REFERENCES")):
        if "(" in words[at:] and ")" in words[at:]:
            inside = read[words.index("(", at) + 1 : words.index(")", at)]
            if all(token.kind in ("word", "quoted") or token.text == "," for token in inside):
                return {statements.fold(token.text) for token in inside[::2]}
    return set()


def _columns(inquiry: Inquiry) -> list[Column]:
    """The column that the text names; else those of the statement's tables that the statement uses."""
    diagnosis = inquiry.diagnosis
    tables = subject.candidates(inquiry)
    found = {(each.schema, each.name) for each in subject.resolved(inquiry, tables)}
    own = [each for each in inquiry.facts.columns or () if (each.schema, each.table) in found]
    if diagnosis.column:
        return [each for each in own if each.name == diagnosis.column]
    used = {statements.fold(token.text) for token in lexer.tokens(inquiry.sql) if token.kind in ("word", "quoted")}
    return [each for each in own if each.name in used]
