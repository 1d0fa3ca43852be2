"""A script: the statements of an option or of a migration, as far as a comparison of schemas sees what they do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from mendbook import lexer
from mendbook.errors import Refused
from mendbook.schema import ddl, drift
from mendbook.schema.clone import Clone
from mendbook.schema.objects import Grant
from mendbook.schema.relations import Index, Policy, Rule, Trigger, View
from mendbook.schema.snapshot import Snapshot

# What a migration may hold: the verbs whose whole effect a Snapshot shows. Anything else would be lost in silence.
_SEEN = ("CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE")
_UNSEEN = (["ROLE"], ["USER"], ["GROUP"], ["DATABASE"], ["SUBSCRIPTION"])
_FRAME = ("BEGIN", "START", "COMMIT", "END", "SET")


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement of a script."""

    text: str
    place: str  # file:line, for messages


def read(text: str, source: str, *, but: Collection[str] = ()) -> Iterator[Statement]:
    """The statements of a text, without the frame of a transaction; raises `Refused` for what no comparison sees.

    *but* are verbs that are let through nonetheless.
    """
    for piece in lexer.split(text):
        place = f"{source}:{piece.line}"
        words = piece.verb.split()
        if piece.kind == "sql" and words[:1] and words[0] in _FRAME:
            continue
        if piece.kind != "sql" or words[0] not in (*_SEEN, *but) or words[1:2] in _UNSEEN or _is_membership(piece):
            what = piece.verb or piece.text.split("\n")[0]
            raise Refused(
                f"{place}: {what} does more than a comparison of schemas can see, so no plan can carry it; nothing was "
                f"changed. Run this migration with its own tool, then diagnose again."
            )
        yield Statement(text=piece.text, place=place)


def _is_membership(piece: lexer.Piece) -> bool:
    """Whether a role is granted to a role, for all databases of the server."""
    return piece.verb.startswith(("GRANT", "REVOKE")) and all(
        token.text.upper() != "ON" for token in lexer.significant(piece.text)
    )


def run(clone: Clone, statements: Iterable[Statement]) -> None:
    """Run the statements on a clone; raises `Refused` where one fails.

    Views, policies, rules and triggers that stand in the way of one are put aside for it, and made again.
    """
    with clone.connect() as conn:
        for each in statements:
            try:
                try:
                    conn.execute(each.text)
                except (psycopg.errors.FeatureNotSupported, psycopg.errors.DependentObjectsStillExist):
                    _run_alone(conn, clone, each)
            except psycopg.Error as error:
                hidden = "".join(f"\nThe clone lacks {o.key}: {o.reason}" for o in clone.omissions[:5])
                raise Refused(
                    f"{each.place} fails on a clone of this schema with {error.diag.sqlstate} "
                    f"({error.diag.message_primary}); nothing was changed. The schema differs from what the runbook "
                    f"expects: compare it with the runbook's statements.{hidden}"
                ) from None


def _run_alone(conn: psycopg.Connection[Any], clone: Clone, statement: Statement) -> None:
    """Run a statement while nothing is there that only builds on tables; what it was that is made again."""
    before = clone.snapshot()
    views = {key.owner for key in before.objects if key.kind == "view"}
    aside = {
        key: item
        for key, item in before.objects.items()
        if isinstance(item, _ASIDE) or (key.owner in views and isinstance(item, Index | Grant))
    }
    bare = replace(before, objects={key: item for key, item in before.objects.items() if key not in aside})
    _make(conn, before, bare)
    conn.execute(statement.text)
    after = clone.snapshot()
    _make(conn, after, replace(after, objects={**after.objects, **aside}, needs=before.needs))


_ASIDE = (View, Policy, Rule, Trigger)


def _make(conn: psycopg.Connection[Any], live: Snapshot, desired: Snapshot) -> None:
    for step in ddl.repair(drift.compare(live, desired), live, desired, drops=True).steps:
        for each in step.forward:
            conn.execute(each)
