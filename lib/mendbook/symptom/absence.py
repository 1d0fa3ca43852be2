"""The checks of what is said not to exist: is it elsewhere, otherwise called, out of reach, here by now, or missing?

Each check gives one `Finding`; what they find has no order of its own (`finding.CAUSES` has).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mendbook import render
from mendbook.symptom import extensions, ledgers, nearness, platforms
from mendbook.symptom.facts import Named
from mendbook.symptom.finding import Finding, confirmed, listed, ruled_out, unknown, written
from mendbook.symptom.inquiry import Change, Inquiry
from mendbook.symptom.subject import Alternative, Subject

_NEAR = 3  # near names that are told
_PLACES = 12  # schemas that are told: where each tenant has one, there are thousands


def checks(inquiry: Inquiry, subject: Subject) -> Iterator[Finding]:
    """Every check that can tell why *subject* was not found."""
    outside = subject.kind == "database"
    yield other_database(inquiry, subject)
    yield _fixed(inquiry, subject)
    yield _permission(inquiry, subject)
    if subject.kind not in ("schema", "database"):
        yield _search_path(inquiry, subject)
    if subject.parsed and not outside:
        yield reserved(inquiry, (subject.name, *(table for _, table in subject.tables)))
    if not subject.present:
        yield _platform(subject)
        yield from _elsewhere(inquiry, subject)
    if not subject.present and not outside:
        yield ledger(inquiry, subject.name, subject.tables[0][1] if subject.tables else None)
        yield standby(inquiry, subject.label)
    yield _missing(inquiry, subject)


# Another place


def other_database(inquiry: Inquiry, subject: Subject | None = None) -> Finding:
    """Whether the error comes from another database than the one that is looked at."""
    here, stated = inquiry.identity.database, inquiry.diagnosis.database
    if stated and stated != here and inquiry.diagnosis.kind != "missing_database":
        return confirmed(
            "other_database", f"The error comes from the database {written(stated)}, and this is {written(here)}."
        )
    certain = inquiry.diagnosis.certainty.get("table") in ("stated", "derived")
    if subject and subject.kind == "column" and certain and subject.tables and not subject.named:
        return _no_such_table(inquiry, *subject.tables[0])
    if inquiry.facts.databases is None:
        return unknown("other_database", "This role cannot read which databases the server has.")
    others = [written(each.name) for each in inquiry.facts.databases if each.name != here]
    if not others:
        return ruled_out("other_database", f"The server has no other database than {written(here)}.")
    count = render.words(len(others), "other database")
    return unknown("other_database", f"The server has {count}; what is in them cannot be seen from here.", others)


def _no_such_table(inquiry: Inquiry, schema: str | None, table: str) -> Finding:
    """Where an error about a column comes from there is its table, though an ORM may call it by its model's name."""
    said = f"No schema of {written(inquiry.identity.database)} has a table {written(schema, table)}"
    names = {each.name for each in inquiry.facts.relations or () if each.visible and each.kind != "index"}
    alike = [name for name in names if nearness.is_other_case(table, name)] + nearness.near(table, names)
    if alike:
        return unknown("other_database", f"{said}; perhaps {listed(map(written, alike), 'or')} is meant.")
    return confirmed("other_database", f"{said}, and where the error comes from there is one.")


def _search_path(inquiry: Inquiry, subject: Subject) -> Finding:
    settings, label = inquiry.settings, subject.label
    if settings is None or inquiry.facts.configured is None:
        return unknown("search_path", "This role cannot read what search_path is set for it.")
    if subject.schemas:
        return ruled_out("search_path", "The statement names the schema, so search_path does not matter.")
    setting = next((each for each in inquiry.facts.configured if each.name == "search_path"), None)
    should = setting.value if setting else settings.reset_path or ""
    owners = [f"the role {written(settings.login)}"] * bool(setting and setting.of_role)
    owners += [f"the database {written(inquiry.identity.database)}"] * bool(setting and setting.of_database)
    origin = f"what is set for {' in '.join(owners) or 'every role'}" if setting else "what the session began with"
    evidence = [f"search_path: {settings.path}"] + [f"{origin}: {should}"] * (should != settings.path)
    now, then = settings.schemas(settings.path), settings.schemas(should)
    if now == then:
        if inquiry.identity.pooled and subject.present:
            return unknown(
                "search_path",
                f"Here search_path is {origin}; other sessions of the pooler may have another.",
                evidence,
            )
        return ruled_out("search_path", f"search_path is {origin}.", evidence)
    if subject.along(then) and not subject.present:
        return confirmed(
            "search_path",
            f"search_path is not {origin}, where {label} would be found: a pooler or the application changed it.",
            evidence,
        )
    return ruled_out("search_path", f"search_path is not {origin}, but that makes no difference to {label}.", evidence)


def no_schema(inquiry: Inquiry) -> Finding:
    """Whether search_path leads to no schema, so that nothing can be created without naming one."""
    path, schemas = inquiry.schema_path(), inquiry.facts.schemas
    if schemas is None:
        return unknown("search_path", "This role cannot read which schemas there are.")
    usable = [each.name for each in schemas if each.name in path and each.usable]
    named = listed(map(written, path)) or "empty"
    if usable:
        return ruled_out("search_path", f"search_path leads to {listed(map(written, usable))} here.")
    hidden = [f"{each} is there, owned by {written(each.owner)}" for each in schemas if each.name in path]
    return confirmed(
        "search_path", f"search_path is {named}, and {inquiry.identity.role} may use no such schema.", hidden
    )


def _platform(subject: Subject) -> Finding:
    theirs = [each for each in subject.found or subject.named if platforms.owns(each)]
    if theirs:
        owners = listed(f"{each} belongs to {written(each.owner)}" for each in theirs)
        return confirmed(
            "platform_owned", f"{owners}: it is the platform's and not the application's.", map(str, theirs)
        )
    names = listed((written(*table) for table in subject.tables), "or") or written(subject.name)
    return ruled_out("platform_owned", f"Nothing called {names} belongs to a platform.")


def _elsewhere(inquiry: Inquiry, subject: Subject) -> Iterator[Finding]:
    """Look for the same thing in other schemas and under other names, and try each in the statement."""
    others = [each for each in subject.holders if each not in subject.found and not platforms.owns(each)][:_PLACES]
    cased = [each for each in subject.alternatives if nearness.is_other_case(subject.name, each.name)]
    close = nearness.near(subject.name, [each.name for each in subject.alternatives])[:_NEAR]
    near = [each for name in close for each in subject.alternatives if each.name == name]
    moves = [Change(name=each.name, instead=each.parts) for each in others]
    changes = [*moves, *(each.change for each in (*cased, *near))]
    answers = inquiry.try_out(changes) if subject.parsed else [None] * len(changes)
    if subject.kind not in ("schema", "database"):
        yield _other_schema(inquiry, subject, others, answers[: len(moves)])
    rest = answers[len(moves) :]
    yield _other_case(subject, cased, rest[: len(cased)])
    yield _near_name(subject, near, rest[len(cased) :])
    if subject.kind == "function":
        yield _other_arguments(subject)
    if subject.kind in ("function", "type"):
        yield _extension(inquiry, subject)


def _other_schema(
    inquiry: Inquiry, subject: Subject, others: Sequence[Named], answers: Sequence[bool | None]
) -> Finding:
    if not others:
        return ruled_out("other_schema", f"No other schema has {subject.label}.")
    fitting = [each for each, fits in zip(others, answers, strict=True) if fits is not False]
    if not fitting:
        return ruled_out(
            "other_schema", "What has the same name in another schema does not fit the statement.", map(str, others)
        )
    places = listed(dict.fromkeys(written(each.schema) for each in fitting))
    looks = (
        "the statement names another"
        if subject.schemas
        else f"search_path is {listed(map(written, inquiry.schema_path()) or ['empty'])}"
    )
    return confirmed("other_schema", f"{subject.label} is in the schema {places}, and {looks}.", map(str, fitting))


def _other_case(subject: Subject, cased: Sequence[Alternative], answers: Sequence[bool | None]) -> Finding:
    fitting = [each for each, fits in zip(cased, answers, strict=True) if fits is not False]
    if not fitting:
        return ruled_out("other_case", f"No name differs from {written(subject.name)} in case alone.", _shown(cased))
    names = listed(written(each.name) for each in fitting)
    folded = " Without quotation marks PostgreSQL reads capitals as small letters." if subject.name.islower() else ""
    return confirmed(
        "other_case",
        f"The name is {names}, and the statement asks for {written(subject.name)}.{folded}",
        _shown(fitting),
    )


def _near_name(subject: Subject, near: Sequence[Alternative], answers: Sequence[bool | None]) -> Finding:
    fitting = [each for each, fits in zip(near, answers, strict=True) if fits is not False]
    if fitting:
        names = listed((written(each.name) for each in fitting), "or")
        return confirmed(
            "near_name", f"There is no {written(subject.name)}, but {names}: perhaps that is meant.", _shown(fitting)
        )
    if near:
        return ruled_out("near_name", "The statement does not fit what has a near name.", _shown(near))
    return ruled_out("near_name", f"No name is near {written(subject.name)}.")


def _shown(alternatives: Sequence[Alternative]) -> list[str]:
    return [each.shown for each in alternatives]


def _other_arguments(subject: Subject) -> Finding:
    others = [each for each in subject.found if each not in subject.holders]
    if others:
        return confirmed(
            "other_arguments",
            f"{written(subject.name)} exists with other argument types than {subject.label}.",
            map(str, others),
        )
    return ruled_out("other_arguments", f"There is no {written(subject.name)} with other argument types.")


def _extension(inquiry: Inquiry, subject: Subject) -> Finding:
    brings = extensions.bringing(subject.name)
    if brings is None or subject.holders:
        return ruled_out("extension", f"No extension that Mendbook knows brings {subject.label}.")
    offered = next((each for each in inquiry.facts.extensions or () if each.name == brings), None)
    if offered and offered.installed:
        return ruled_out("extension", f"The extension {brings} is installed.")
    where = "" if offered else ", and the server does not offer it"
    return confirmed(
        "extension", f"{subject.label} comes with the extension {brings}, which is not installed here{where}."
    )


# Reach


def _permission(inquiry: Inquiry, subject: Subject) -> Finding:
    role = written(inquiry.identity.role)
    looks_in = subject.schemas or inquiry.schema_path()
    hidden = [each for each in subject.holders if not each.usable and each.schema in looks_in]
    if subject.kind in ("schema", "database"):
        hidden = [each for each in subject.holders if not each.usable]
    if hidden:
        owners = [f"{each}, owned by {written(each.owner)}" for each in hidden]
        place = (
            "it"
            if subject.kind in ("schema", "database")
            else f"the schema {listed(written(each.schema) for each in hidden)}"
        )
        return confirmed("permission", f"{subject.label} is there, but {role} may not use {place}.", owners)
    rows = [
        each
        for each in inquiry.facts.privileges or ()
        if any((each.schema, each.name) == one.parts for one in subject.present)
    ]
    if rows and not any(each.granted or each.columns for each in rows):
        return confirmed(
            "permission",
            f"{role} has no privilege on {written(rows[0].schema, rows[0].name)}.",
            [f"owned by {written(rows[0].owner)}"],
        )
    granted = [each.privilege for each in rows if each.granted or each.columns]
    return ruled_out(
        "permission",
        f"Nothing that {role} lacks hides {subject.label}.",
        [f"{role} has {listed(granted)}"] * bool(granted),
    )


def reserved(inquiry: Inquiry, names: Sequence[str]) -> Finding:
    """Whether one of *names* is a word that SQL reserves, and the statement has it without quotation marks."""
    if inquiry.facts.keywords is None:
        return unknown("reserved_name", "This role cannot read which words are reserved.")
    words = [each.name for each in inquiry.facts.keywords if each.name in names]
    if not words:
        return ruled_out("reserved_name", f"No reserved word is among {listed(map(written, names))}.")
    answers = inquiry.try_out([Change(name=word, instead=(word,), inside=True) for word in words])
    meant = [word for word, fits in zip(words, answers, strict=True) if fits]
    if meant and inquiry.passes is False:
        return confirmed(
            "reserved_name", f"{listed(meant)} is a reserved word: without quotation marks it is not read as a name."
        )
    said = f"{listed(words)} is a reserved word and takes quotation marks"
    if inquiry.statement is None and names[0] not in words:
        return unknown("reserved_name", f"{said}; whether the statement has them cannot be seen.")
    return ruled_out("reserved_name", f"{said}, which is not what fails here.")


# Time


def _fixed(inquiry: Inquiry, subject: Subject) -> Finding:
    label, complaint = subject.label, [inquiry.complaint] * bool(inquiry.complaint)
    passes = inquiry.passes if subject.parsed else None
    if subject.present:
        missed = inquiry.missed
        same = subject.name in (missed.column, missed.table, missed.schema, missed.other)
        if passes is False and same:
            return ruled_out(
                "fixed_meanwhile", f"{label} is there, and the server refuses the statement all the same.", complaint
            )
        then = {True: "the server takes the statement", False: "the statement now fails with something else"}
        more = f", and {then[passes]}" if passes is not None else ""
        return confirmed("fixed_meanwhile", f"{label} is there now{more}.", [*map(str, subject.present), *complaint])
    if passes and not (subject.kind == "column" and not subject.tables):
        return unknown(
            "fixed_meanwhile",
            f"The server takes the statement, yet {label} is not there: a function or trigger of it may miss that.",
        )
    if passes:
        return confirmed("fixed_meanwhile", "The server now takes the statement.")
    return ruled_out("fixed_meanwhile", f"{label} is not there now either.", complaint)


def ledger(inquiry: Inquiry, name: str, table: str | None) -> Finding:
    """Whether a migration that speaks of the object counts as done."""
    if inquiry.facts.ledgers is None:
        return unknown("ledger_claims_it", "This role cannot read which migration ledgers there are.")
    records = ledgers.read(inquiry.conn, inquiry.facts.ledgers)
    if not records:
        return ruled_out("ledger_claims_it", "No migration ledger that Mendbook knows is in this database.")
    claims = [
        f"{record.table}: {each}"
        for record in records
        for each in record.applied or ()
        if ledgers.speaks_of(each, name, table)
    ]
    if claims:
        return confirmed("ledger_claims_it", f"A migration that speaks of {written(name)} is recorded as done.", claims)
    return unknown(
        "ledger_claims_it",
        f"No migration that is recorded as done has {written(name)} in its name.",
        map(str, records),
    )


def standby(inquiry: Inquiry, label: str) -> Finding:
    """Whether this is a standby that lags behind."""
    settings = inquiry.settings
    if not inquiry.identity.standby:
        return ruled_out("standby", "This is a primary.")
    if settings is None or settings.behind is None:
        return unknown("standby", "This is a standby that receives nothing now; its primary may be ahead of it.")
    if settings.behind > 0:
        paused = "; replay is paused" if settings.replay_paused else ""
        return confirmed(
            "standby",
            f"This is a standby, and its primary may have {label} already.",
            [f"{settings.behind} bytes are received and not replayed{paused}"],
        )
    return ruled_out("standby", "This standby has replayed all that it received.")


def _missing(inquiry: Inquiry, subject: Subject) -> Finding:
    if subject.present:
        return ruled_out("missing", f"{subject.label} is there.", map(str, subject.present))
    if subject.kind == "column" and len(subject.tables) != 1:
        if not subject.tables:
            return unknown(
                "missing", f"Neither the text nor the statement tells to which table {subject.label} belongs."
            )
        return confirmed(
            "missing",
            f"{subject.label} is missing; the statement does not tell in which of them it should be.",
            subject.parts,
        )
    if subject.kind == "column" and not subject.found:
        return unknown("missing", f"{written(*subject.tables[0])} is not found here, so its columns are not known.")
    looked = [] if subject.schemas else [f"looked in: {listed(map(written, inquiry.schema_path()))}"]
    return confirmed("missing", f"{subject.label} is not there.", subject.parts or looked)
