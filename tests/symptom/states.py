"""States of a database in which a statement fails, and what the failure's text lets one know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# One schema for all states; "onlooker" is a role that may do little.
SETUP = """
CREATE SCHEMA lobby;
CREATE SCHEMA vault;
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE TABLE members (id int PRIMARY KEY, email text NOT NULL UNIQUE, "nickName" text, mood mood, seats int);
CREATE TABLE lobby.rooms (id int PRIMARY KEY, member_id int REFERENCES members, title varchar(8));
CREATE TABLE "seat plan" (id int, "row no" int);
CREATE TABLE stamped (id int);
CREATE VIEW names AS SELECT id, email FROM members;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched_at := now(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION complain() RETURNS void LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''this column of the relation is not for you''; END';
INSERT INTO members VALUES (1, 'kim@example.org', 'Kim', 'calm', 2);
"""


@dataclass(frozen=True, kw_only=True)
class State:
    """A statement that fails, and what every text of the failure says."""

    sql: str
    kind: str
    sqlstate: str
    says: Mapping[str, str | None] = field(default_factory=dict)  # by field of Diagnosis


STATES = {
    "column of a relation": State(
        sql='UPDATE members SET "lastSeen" = now() WHERE id = 1',
        kind="missing_column",
        sqlstate="42703",
        says={"table": "members", "column": "lastSeen"},
    ),
    "column under an alias": State(
        sql="SELECT r.id, r.closed_at FROM lobby.rooms AS r WHERE r.id = 1",
        kind="missing_column",
        sqlstate="42703",
        says={"column": "closed_at", "alias": "r"},
    ),
    "column of a name with a blank": State(
        sql='INSERT INTO "seat plan" (id, "seat no") VALUES (1, 2)',
        kind="missing_column",
        sqlstate="42703",
        says={"table": "seat plan", "column": "seat no"},
    ),
    "column that was folded": State(
        sql="SELECT nickName FROM members",
        kind="missing_column",
        sqlstate="42703",
        says={"column": "nickname"},
    ),
    "field of a trigger's record": State(
        sql="INSERT INTO stamped VALUES (1)", kind="missing_column", sqlstate="42703", says={"column": "touched_at"}
    ),
    "table": State(
        sql="SELECT 1 FROM bans", kind="missing_table", sqlstate="42P01", says={"schema": None, "table": "bans"}
    ),
    "table of a schema": State(
        sql='SELECT 1 FROM lobby."Bans"',
        kind="missing_table",
        sqlstate="42P01",
        says={"schema": "lobby", "table": "Bans"},
    ),
    "schema": State(
        sql="CREATE TABLE billing.plans (id int)", kind="missing_schema", sqlstate="3F000", says={"schema": "billing"}
    ),
    "function": State(
        sql="SELECT lobby.score(1, 'x')",
        kind="missing_function",
        sqlstate="42883",
        says={"schema": "lobby", "function": "score"},
    ),
    "operator": State(sql="SELECT 1 FROM members WHERE id = 'a'::text", kind="type_mismatch", sqlstate="42883"),
    "type": State(
        sql="SELECT 'x'::lobby.colour",
        kind="missing_type",
        sqlstate="42704",
        says={"schema": "lobby", "type": "colour"},
    ),
    "constraint": State(
        sql="ALTER TABLE members DROP CONSTRAINT members_team_fkey",
        kind="missing_constraint",
        sqlstate="42704",
        says={"table": "members", "constraint": "members_team_fkey"},
    ),
    "target of a conflict": State(
        sql="INSERT INTO members (id, email) VALUES (2, 'x') ON CONFLICT (seats) DO NOTHING",
        kind="missing_constraint",
        sqlstate="42P10",
    ),
    "a column twice": State(
        sql="ALTER TABLE members ADD COLUMN email text",
        kind="duplicate_object",
        sqlstate="42701",
        says={"table": "members", "column": "email"},
    ),
    "a table twice": State(
        sql="CREATE TABLE members (id int)", kind="duplicate_object", sqlstate="42P07", says={"table": "members"}
    ),
    "null": State(
        sql="INSERT INTO members (id) VALUES (3)",
        kind="not_null_violation",
        sqlstate="23502",
        says={"table": "members", "column": "email"},
    ),
    "value of an enum": State(
        sql="UPDATE members SET mood = 'angry'", kind="invalid_enum", sqlstate="22P02", says={"type": "mood"}
    ),
    "type of a value": State(
        sql="UPDATE members SET seats = true", kind="type_mismatch", sqlstate="42804", says={"column": "seats"}
    ),
    "table without permission": State(
        sql="SET ROLE onlooker; SELECT * FROM members", kind="permission", sqlstate="42501", says={"table": "members"}
    ),
    "schema without permission": State(
        sql="SET ROLE onlooker; SELECT * FROM vault.keys", kind="permission", sqlstate="42501", says={"schema": "vault"}
    ),
    "read only": State(
        sql="DO 'BEGIN SET LOCAL transaction_read_only = on;DELETE FROM members;END'",
        kind="read_only",
        sqlstate="25006",
    ),
    "too slow": State(sql="SET statement_timeout = 20; SELECT pg_sleep(5)", kind="statement_timeout", sqlstate="57014"),
    "unique": State(
        sql="INSERT INTO members (id, email) VALUES (1, 'x')",
        kind="other",
        sqlstate="23505",
        says={"constraint": "members_pkey"},
    ),
    "syntax": State(sql="SELEC 1", kind="other", sqlstate="42601", says={"table": None, "column": None}),
}
