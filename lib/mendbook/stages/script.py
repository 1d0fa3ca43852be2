"""A script: the statements of an option or of a migration, as far as a comparison of schemas sees what they do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import psycopg

from mendbook import lexer
from mendbook.errors import Refused
from mendbook.schema.clone import Clone

# What a migration may hold: the verbs whose whole effect a Snapshot shows. Anything else would be lost in silence.
_SEEN = ("CREATE", "ALTER", "DROP", "COMMENT")
_UNSEEN = ("ROLE", "USER", "GROUP", "DATABASE", "POLICY", "RULE", "PUBLICATION", "SUBSCRIPTION", "SERVER", "DEFAULT")
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
        if piece.kind != "sql" or words[0] not in (*_SEEN, *but) or (len(words) > 1 and words[1] in _UNSEEN):
            what = piece.verb or piece.text.split("\n")[0]
            raise Refused(
                f"{place}: {what} does more than a comparison of schemas can see, so no plan can carry it; nothing was "
                f"changed. Run this migration with its own tool, then diagnose again."
            )
        yield Statement(text=piece.text, place=place)


def run(clone: Clone, statements: Iterable[Statement]) -> None:
    """Run the statements on a clone; raises `Refused` where one fails."""
    with clone.connect() as conn:
        for each in statements:
            try:
                conn.execute(each.text)
            except psycopg.Error as error:
                hidden = "".join(f"\nThe clone lacks {o.key}: {o.reason}" for o in clone.omissions[:5])
                raise Refused(
                    f"{each.place} fails on a clone of this schema with {error.diag.sqlstate} "
                    f"({error.diag.message_primary}); nothing was changed. The schema differs from what the runbook "
                    f"expects: compare it with the runbook's statements.{hidden}"
                ) from None
