"""Flyway, the migration tool for Java."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

from mendbook.formats import Change, Format, script
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger, Values
from mendbook.migrations import Layout, Migration, Named
from mendbook.origin import Origin

FRAMEWORK = Framework(
    name="flyway",
    title="Flyway",
    home="https://documentation.red-gate.com/flyway and flyway-core/src/main/java/org/flywaydb/core/internal",
    over=("spring", "hibernate", "hikari", "jdbc"),
    only=False,
    marks=("org.flywaydb.", "Flyway", "flyway_schema_history", "flyway:"),
    wordings=(
        Wording(text="Validate failed: Migrations have failed validation…", kind="migration_history"),
        Wording(text="Migration checksum mismatch for migration version {}", kind="migration_history"),
        Wording(text="Detected resolved migration not applied to database: {}", kind="migration_pending"),
        Wording(text="Detected applied migration not resolved locally: {}", kind="migration_history"),
        Wording(text="Detected failed migration to version {}", kind="migration_history"),
        Wording(text="Detected failed repeatable migration: {}", kind="migration_history"),
        Wording(text="Found non-empty schema(s) {} but no schema history table. {}", kind="migration_history"),
        Wording(text="Schema {} contains a failed migration to version {}", kind="migration_history"),
        Wording(text="Unable to obtain connection from database{}", kind="connection_refused", own=False),
    ),
    statements=(r"^Statement\s*: (?P<sql>(?:[^\n]|\n(?!\n|\s+at |Caused|\t\.\.\.)){1,20000})",),
    frames=("org.flywaydb.",),
)


def _names(match: re.Match[str], _text: str) -> Iterator[Named]:
    yield Named(name=match["class"] or match[0])


def _order(script: str) -> tuple[bool, list[int], str]:
    """Versions first, number by number, then what repeats, by its description."""
    version = re.search(r"(?:^|/)V([0-9._]+?)__", script)
    description = script.rpartition("/")[2].removesuffix(".sql").replace("_", " ")
    return not version, [int(each) for each in re.findall(r"\d+", version[1] if version else "")], description


def _checksum(migration: Migration) -> str:
    """CRC-32 over the lines without their ends, as a signed number of 32 bits."""
    lines = re.split(r"\r\n|\r|\n", migration.text.removeprefix("\ufeff"))
    crc = zlib.crc32("".join(lines).encode())
    return str(crc - (1 << 32) if crc >> 31 else crc)


def _values(migration: Migration) -> Values:
    found = re.search(r"(?:^|/)(?:V([0-9._]+?)|R)__([^/]*)\.sql$", migration.name)
    version, description = found.groups() if found else (None, migration.name)
    return {"version": version.replace("_", ".") if version else None, "description": description.replace("_", " ")}


# flyway-core/src/main/java/org/flywaydb/core/internal: database/postgresql/PostgreSQLDatabase.java,
# resolver/ChecksumCalculator.java and ResolvedMigrationComparator.java, schemahistory/JdbcTableSchemaHistory.java of
# flyway/flyway. What is no SQL is recorded by the name of its class.
LEDGER = Ledger(
    table="flyway_schema_history",
    columns=("installed_rank", "version", "description", "type", "script", "checksum", "installed_on", "success"),
    create="""CREATE TABLE {table} (
    installed_rank integer NOT NULL,
    version varchar(50),
    description varchar(200) NOT NULL,
    type varchar(20) NOT NULL,
    script varchar(1000) NOT NULL,
    checksum integer,
    installed_by varchar(100) NOT NULL,
    installed_on timestamp NOT NULL DEFAULT now(),
    execution_time integer NOT NULL,
    success boolean NOT NULL,
    CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank)
);
CREATE INDEX flyway_schema_history_s_idx ON {table} (success)""",
    name="""CASE type
    WHEN 'BASELINE' THEN 'V' || version || '__~' -- sorts after any description
    WHEN 'JDBC' THEN substring(script FROM '[^.]+$')
    ELSE script
END""",
    rows="""type IN ('SQL', 'JDBC', 'BASELINE') AND installed_rank = (
    SELECT max(newer.installed_rank) FROM {table} AS newer WHERE newer.script = entry.script
)""",
    state="CASE WHEN type = 'BASELINE' THEN 'baseline' WHEN success THEN 'done' ELSE 'failed' END",
    at="installed_on",
    checksum="checksum",
    layout=Layout(
        file=r"(?:.*/)?(?:(?:V[0-9._]+?|R)__[^/]*\.sql|(?P<class>[VR][0-9_]*__[^/]*)\.(?:java|kt))",
        names=_names,
        order=_order,
        repeated=r"(?:.*/)?R__.*",
    ),
    computes=_checksum,
    values=_values,
    row={
        "installed_rank": "(SELECT coalesce(max(installed_rank), 0) + 1 FROM {table})",
        "version": "{version}",
        "description": "{description}",
        "type": "'SQL'",
        "script": "{name}",
        "checksum": "{checksum}",
        "installed_by": "current_user",
        "execution_time": "0",
        "success": "true",
    },
)


def _files(change: Change) -> Mapping[str, str]:
    place, name = change.folder, f"{change.number}__{change.title}"
    files = {f"{place}V{name}.sql": script(change.forward), f"{place}U{name}.sql": script(change.backward)}
    if not change.transaction:
        files |= {f"{place}{prefix}{name}.sql.conf": "executeInTransaction=false\n" for prefix in "VU"}
    return files


MIGRATION = Format(files=_files)


EXPECTATION = Origin(prefix="flyway", form="DIR", means=LEDGER.layout)
