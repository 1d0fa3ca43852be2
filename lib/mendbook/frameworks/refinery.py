"""Refinery, the migration library for Rust."""

from __future__ import annotations

import re

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger, Values
from mendbook.migrations import Layout, Migration, by_number

FRAMEWORK = Framework(
    name="refinery",
    title="Refinery",
    home="https://docs.rs/refinery and refinery_core/src/error.rs of rust-db/refinery",
    over=("tokio-postgres",),
    only=False,
    marks=("refinery_schema_history", "refinery_core", "refinery::"),
    wordings=(
        Wording(text="migration {} is missing from the filesystem", kind="migration_history", own=False),
        Wording(text="applied migration {} is different than filesystem one {}", kind="migration_history", own=False),
    ),
)
_FILE = r"(?:.*/)?[VU]0*(?P<name>[0-9]+)__(?P<title>\w+)\.(?:sql|rs)"
_MASK = (1 << 64) - 1


def _checksum(migration: Migration) -> str:
    """SipHash-1-3 with no key, over what Rust hashes of the title, the number and the SQL."""
    title = _title(migration).encode() + b"\xff"
    return str(_siphash(title + int(migration.name).to_bytes(4, "little") + migration.text.encode() + b"\xff"))


def _title(migration: Migration) -> str:
    found = re.fullmatch(_FILE, migration.path.as_posix())
    return found["title"] if found else migration.title


def _siphash(data: bytes) -> int:
    """As its authors define it: https://www.aumasson.jp/siphash/siphash.pdf, with 1 and 3 rounds."""
    state = [int.from_bytes(word, "big") for word in (b"somepseu", b"dorandom", b"lygenera", b"tedbytes")]
    data += bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at : at + 8], "little")
        state[3] ^= word
        _round(state)
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(3):
        _round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(state: list[int]) -> None:
    for a, b, turn, swap in ((0, 1, 13, 32), (2, 3, 16, 0), (0, 3, 21, 0), (2, 1, 17, 32)):
        state[a] = (state[a] + state[b]) & _MASK
        state[b] = _turned(state[b], turn) ^ state[a]
        state[a] = _turned(state[a], swap)


def _turned(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK


def _values(migration: Migration) -> Values:
    return {"title": _title(migration)}


# refinery_core/src/traits/mod.rs and runner.rs of rust-db/refinery
LEDGER = Ledger(
    table="refinery_schema_history",
    columns=("version", "name", "applied_on", "checksum"),
    create="""CREATE TABLE IF NOT EXISTS {table} (
    version INT4 PRIMARY KEY,
    name VARCHAR(255),
    applied_on VARCHAR(255),
    checksum VARCHAR(255)
)""",
    name="version",
    at="applied_on",
    checksum="checksum",
    layout=Layout(file=_FILE, order=by_number),
    computes=_checksum,
    values=_values,
    row={
        "version": "{name}",
        "name": "{title}",
        "applied_on": """to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "checksum": "{checksum}",
    },
)
