"""A secret never enters a parameter, an output, a journal or a document.

Two nets: the shapes that secrets have in connection strings, and the very secrets this process has used.
Everything that is written down or shown passes through `scrub`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MASK = "•••"

_IN_URL = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)(?P<secret>[^\s'\"]+)(?=@)", re.IGNORECASE)
# NAME=value as in environments and connection strings, "name": "value" as in JSON and YAML. Not `column = $1`: SQL
# puts blanks around its =, and a placeholder is no secret.
_ASSIGNED = re.compile(
    r"""(?P<head>\b\w*(?:(?:password|passwd|secret|token|secret_access_key)=["']?|(?:password|passwd|secret)["']?\s*:(?!:)\s*["']?))
        (?P<secret>(?![$?:%])[^\s"'&,;)}]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_SHORTEST = 4  # a shorter secret would blot out ordinary words and protect nothing

_known: set[str] = set()


def remember(secret: str | None, *, public: Iterable[str | None] = ()) -> None:
    """Mask *secret* in everything from now on, unless it is also one of the *public* names beside it."""
    if secret and len(secret) >= _SHORTEST and secret not in public:
        _known.add(secret)


def has_url_secret(text: str) -> bool:
    """Say whether *text* holds a URL with a password in it."""
    return _IN_URL.search(text) is not None


def scrub(text: str) -> str:
    """Return *text* with every known or recognisable secret replaced by `MASK`."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _IN_URL.sub(lambda m: m["head"] + MASK, text)
    return _ASSIGNED.sub(lambda m: m["head"] + MASK, text)


def scrub_all(value: Any) -> Any:
    """Return a JSON-like *value* with `scrub` applied to every string in it."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: scrub_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(item) for item in value]
    return value
