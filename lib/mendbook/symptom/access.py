"""The checks of rights: what this role may do with an object, who owns it, who may log in."""

from __future__ import annotations

from collections.abc import Iterator

from mendbook import lexer
from mendbook.symptom import absence, platforms, statements, subject
from mendbook.symptom.facts import Privilege
from mendbook.symptom.finding import Finding, confirmed, listed, ruled_out, unknown, written
from mendbook.symptom.inquiry import Inquiry
from mendbook.symptom.statements import Statement

_DATA = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})  # verbs whose privilege has the same name
_OWNERS = ("ALTER", "DROP", "COMMENT", "CREATE INDEX", "REINDEX")  # what an owner alone may do begins so


def rights(inquiry: Inquiry) -> Iterator[Finding]:
    """Which grant is missing, and who could give it?"""
    yield absence.other_database(inquiry)
    role, rows = written(inquiry.identity.role), _rows(inquiry)
    if not rows:
        yield unknown("permission", "The text names no object of this database whose grants could be looked up.")
        return
    first = rows[0]
    name, owner = f"{first.kind} {written(first.schema, first.name)}", written(first.owner)
    if not _wants_owner(inquiry):
        yield from _grants(inquiry, role, rows)
    elif first.owned:
        yield ruled_out("not_owner", f"{role} owns {name}, or is a member of its owner.")
    else:
        yield confirmed("not_owner", f"{name} belongs to {owner}, and {role} is no member of it.")
    if first.row_security:
        said = f"{name} has row-level security: policies decide which rows {role} may touch."
        yield confirmed("row_security", said, [f"owned by {owner}"])
    elif first.kind == "table":
        yield ruled_out("row_security", f"{name} has no row-level security.")
    theirs = [each for each in inquiry.facts.relations or () if each.parts == (first.schema, first.name)]
    if any(map(platforms.owns, theirs)):
        yield confirmed("platform_owned", f"{name} belongs to {owner}: it is the platform's.")


def _wants_owner(inquiry: Inquiry) -> bool:
    """Whether what failed is something that no grant allows; the server says so, or the statement is of that kind."""
    verb = statements.normalise(inquiry.diagnosis.statement or "").verb
    return verb.startswith(_OWNERS) or (inquiry.diagnosis.message or "").startswith("must be owner")


def _grants(inquiry: Inquiry, role: str, rows: list[Privilege]) -> Iterator[Finding]:
    shown = list(map(_shown, rows))
    of = {each.schema for each in rows}
    hidden = [each for each in inquiry.facts.schemas or () if not each.usable and each.name in of]
    lacking = [each for each in rows if not each.granted and _is_needed(inquiry, each)]
    if hidden:
        owners = [f"{each} is owned by {written(each.owner)}" for each in hidden]
        yield confirmed("permission", f"{role} lacks USAGE on the schema {listed(map(str, hidden))}.", owners + shown)
    elif lacking:
        on, owner = written(lacking[0].schema, lacking[0].name), written(lacking[0].owner)
        rights = listed(each.privilege for each in lacking)
        yield confirmed("permission", f"{role} lacks {rights} on {on}, which {owner} owns and can grant.", shown)
    else:
        yield ruled_out("permission", f"{role} has what it needs.", shown)
        yield unknown("fixed_meanwhile", f"{role} has the grants now; the application may use another role.")


def _shown(row: Privilege) -> str:
    some = f"on the columns {listed(map(written, row.columns))}" if row.columns else "no"
    return f"{row.privilege} on {row.kind} {written(row.schema, row.name)}: {'yes' if row.granted else some}"


def _is_needed(inquiry: Inquiry, row: Privilege) -> bool:
    """Whether the statement wants the privilege: it writes to the first table that it names, and reads the others.

    Without a statement, every privilege may be the one. One that is granted on some columns suffices for those.
    """
    statement = inquiry.statement
    if row.kind != "table" or statement is None or statement.verb not in _DATA or not statement.tables:
        return True
    is_first = next(iter(statement.tables.values()))[1] == row.name
    needed = {statement.verb} if is_first else set()
    if not is_first or statement.verb != "INSERT":
        needed.add("SELECT")
    return row.privilege in needed and not (row.columns and _suffice(inquiry, statement, row))


def _suffice(inquiry: Inquiry, statement: Statement, row: Privilege) -> bool:
    """Whether the statement uses no other columns than those on which the privilege is granted."""
    names = {each.name for each in inquiry.facts.columns or () if (each.schema, each.table) == (row.schema, row.name)}
    read = lexer.significant(statement.sql)
    used = {statements.fold(token.text) for token in read if token.kind in ("word", "quoted")} & names
    return used <= set(row.columns or ()) and all(token.text != "*" for token in read)


def _rows(inquiry: Inquiry) -> list[Privilege]:
    """The privileges on the object that the text names, where this session finds it."""
    diagnosis, rows = inquiry.diagnosis, inquiry.facts.privileges or ()
    if diagnosis.table or not (diagnosis.function or diagnosis.type or diagnosis.schema or diagnosis.database):
        found = {each.parts for each in subject.resolved(inquiry, subject.candidates(inquiry))}
        named = {table for _, table in subject.candidates(inquiry)}
        tables = [each for each in rows if each.kind in ("table", "sequence") and each.name in named]
        return [each for each in tables if (each.schema, each.name) in found] or tables
    if diagnosis.function:
        return [each for each in rows if each.kind == "function" and each.name.startswith(f"{diagnosis.function}(")]
    kind = "type" if diagnosis.type else "schema" if diagnosis.schema else "database"
    name = diagnosis.type or diagnosis.schema or diagnosis.database
    return [each for each in rows if each.kind == kind and each.name == name]


def login(inquiry: Inquiry) -> Iterator[Finding]:
    """Is there such a role, and may it log in? Roles are the same for all databases of a server."""
    name = inquiry.diagnosis.role
    if name is None or inquiry.facts.roles is None:
        yield unknown(
            "role_missing", "The text does not name the role that could not log in, or roles cannot be read here."
        )
        return
    role = next((each for each in inquiry.facts.roles if each.name == name), None)
    shown = written(name)
    if role is None:
        yield confirmed("role_missing", f"The server has no role {shown}.")
        return
    yield ruled_out("role_missing", f"The server has a role {shown}.")
    can_log_in = ruled_out if role.can_login else confirmed
    yield can_log_in("no_login", f"{shown} may {'' if role.can_login else 'not '}log in.")
    ended = confirmed if role.expired else ruled_out
    yield ended("password_expired", f"The password of {shown} is {'' if role.expired else 'not '}past its end.")
