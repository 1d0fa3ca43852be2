"""`Finding`: one discriminating check on the live database, with what the server answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from mendbook import redaction
from mendbook.symptom import statements

Verdict = Literal["confirmed", "ruled out", "not known"]

# Every cause, by its slug, with the words for the check that tells it. The order is the one in which a confirmed cause
# outweighs those below it: what makes this the wrong place to look comes first, what is left when nothing else
# explains the error comes last.
CAUSES: Mapping[str, str] = {
    "other_database": "another database",
    "permission": "permission",
    "fixed_meanwhile": "fixed meanwhile",
    "search_path": "search_path",
    "platform_owned": "owned by the platform",
    "other_schema": "another schema",
    "other_case": "another case",
    "reserved_name": "a reserved word",
    "other_arguments": "other argument types",
    "extension": "an extension",
    "invalid_index": "an invalid index",
    "exists_already": "exists already",
    "standby": "standby or primary",
    "ledger_claims_it": "the migration ledger",
    "near_name": "a near name",
    "other_type": "the column's type",
    "no_default": "no default",
    "explicit_null": "an explicit NULL",
    "row_security": "row-level security",
    "not_owner": "ownership",
    "read_only_setting": "read-only by a setting",
    "role_missing": "the role",
    "no_login": "the right to log in",
    "password_expired": "the password's end",
    "role_limit": "the role's limit",
    "database_limit": "the database's limit",
    "server_full": "the server's limit",
    "idle_in_transaction": "idle in transaction",
    "blocked": "who holds what",
    "ledger_missing": "the ledger itself",
    "stale_plan": "a plan of before",
    "pool_limit": "the application's own pool",
    "missing": "missing",
}
_MOST = 12  # facts that one finding shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found."""

    check: str  # what was looked into, in a few words
    verdict: Verdict  # on the cause
    said: str  # one sentence, with the user's own names
    evidence: tuple[str, ...] = ()  # what the server answered, each a short text
    cause: str  # slug of the cause: see CAUSES


def confirmed(cause: str, said: str, evidence: Iterable[str] = ()) -> Finding:
    """The database is in the state that explains the error."""
    return _finding("confirmed", cause, said, evidence)


def ruled_out(cause: str, said: str, evidence: Iterable[str] = ()) -> Finding:
    """The database is not in that state."""
    return _finding("ruled out", cause, said, evidence)


def unknown(cause: str, said: str, evidence: Iterable[str] = ()) -> Finding:
    """This role, or this connection, cannot tell."""
    return _finding("not known", cause, said, evidence)


def _finding(verdict: Verdict, cause: str, said: str, evidence: Iterable[str]) -> Finding:
    shown = [redaction.scrub(each) for each in evidence]
    if len(shown) > _MOST:
        shown[_MOST:] = [f"… and {len(shown) - _MOST} more"]
    said = redaction.scrub("The" + said.removeprefix("the") if said.startswith("the ") else said)
    return Finding(check=CAUSES[cause], verdict=verdict, said=said, evidence=tuple(shown), cause=cause)


def written(*names: str | None) -> str:
    """A qualified name for people, quoted only where SQL would not take it bare; None parts are left out."""
    return ".".join(name if _PLAIN.fullmatch(name) else statements.quote(name) for name in names if name)


_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def listed(names: Iterable[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, end = list(dict.fromkeys(names)) or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``2 days``."""
    for most, unit, size in ((120, "s", 1), (7_200, "min", 60), (172_800, "h", 3_600)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
