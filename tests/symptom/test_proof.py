"""Each discriminating check on a database that is really in that state, and on one that is nearly so."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mendbook import embedded, target
from mendbook.symptom import finding, inquiry, occupancy, proof, triage
from mendbook.symptom.proof import Proof
from mendbook.symptom.triage import Diagnosis
from mendbook.target import Target
from psycopg import conninfo as conninfos

Make = Callable[[str], str]

SHOP = """
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, "isPaid" boolean, placed_at timestamptz);
CREATE TABLE items (id int PRIMARY KEY, order_id int, sku text);
"""


@pytest.fixture
def role(server: embedded.Server) -> Iterator[str]:
    """An ordinary role that may log in. Ask for it before a database: it is dropped after that."""
    name = f"app_{os.urandom(4).hex()}"
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute(f"DROP ROLE {name}")


def error(conninfo: str, statement: str) -> str:
    """What the server's log says of a statement that fails."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        try:
            conn.execute(statement.encode())
        except psycopg.Error as failed:
            said = f"ERROR:  {failed.sqlstate}: {failed.diag.message_primary}\n"
            context = f"CONTEXT:  {failed.diag.context}\n" if failed.diag.context else ""
            return f"{said}{context}STATEMENT:  {statement}"
    raise AssertionError("the statement passes")


def prove(conninfo: str, found: str | Diagnosis, *, user: str = "", before: str = "") -> Proof:
    """Prove what a text or a Diagnosis says, as *user*, after *before* was run in the session."""
    diagnosis = triage.diagnose(found) if isinstance(found, str) else found
    info = conninfos.make_conninfo(conninfo, **({"user": user} if user else {}))
    with Target(reference="test", _conninfo=info).connect() as conn:
        if before:
            conn.execute(before.encode())
        with target.read_only(conn):
            answer = proof.prove(conn, diagnosis, target.identify(conn))
            assert conn.execute("SELECT 1").fetchone() == (1,)  # the transaction goes on unharmed
    return answer


def stated(kind: str, **names: str) -> Diagnosis:
    """A Diagnosis whose names the text states."""
    certainty = dict.fromkeys(names, "stated")
    return Diagnosis(is_postgres=True, kind=kind, **names, certainty=certainty)  # type: ignore[arg-type]


def verdict(proof: Proof, cause: str) -> str:
    found = [each.verdict for each in proof.findings if each.cause == cause]
    assert len(found) == 1, f"{cause}: {found}"
    return found[0]


def said(proof: Proof, cause: str) -> str:
    return next(f"{each.said} {each.evidence}" for each in proof.findings if each.cause == cause)


def assert_cause(proof: Proof, cause: str) -> None:
    assert proof.cause == cause, str(proof)
    assert proof.remaining is not None
    assert proof.remaining.said in proof.summary()


def assert_ruled_out(proof: Proof, *causes: str) -> None:
    assert [verdict(proof, cause) for cause in causes] == ["ruled out"] * len(causes), str(proof)


# Missing, and nothing else


def test_missing_table(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, error(base, "SELECT id FROM parcels"))
    assert_cause(found, "missing")
    assert_ruled_out(
        found, "fixed_meanwhile", "permission", "search_path", "platform_owned", "other_schema", "other_case"
    )
    assert_ruled_out(found, "near_name", "reserved_name", "ledger_claims_it", "standby")
    assert found.refined.schema is None


def test_missing_column_and_the_schema_of_its_table(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, error(base, "UPDATE orders SET updated_at = now() WHERE id = 1"))
    assert_cause(found, "missing")
    assert found.refined.schema == "public"
    assert (found.refined.certainty["schema"], found.refined.certainty["table"]) == ("derived", "stated")
    assert "orders.placed_at timestamp with time zone" in said(found, "missing")


def test_a_statement_tells_what_the_text_does_not(make_database: Make) -> None:
    base = make_database(SHOP)
    text = "{ code: '42703', routine: 'errorMissingColumn' }"
    bare = prove(base, text)
    assert bare.cause == proof.UNKNOWN
    assert verdict(bare, "missing") == "not known"
    whole = prove(base, Diagnosis(is_postgres=True, kind="missing_column", statement="SELECT o.note FROM orders o"))
    assert_cause(whole, "missing")
    assert (whole.refined.schema, whole.refined.table, whole.refined.column) == ("public", "orders", "note")
    assert whole.refined.certainty == dict.fromkeys(("sqlstate", "message", "schema", "table", "column"), "derived")


def test_what_the_text_states_is_never_overwritten(make_database: Make) -> None:
    base = make_database(SHOP)
    diagnosis = stated(
        "missing_column", schema="other", table="orders", column="note", statement="SELECT sku FROM orders"
    )
    refined = prove(base, diagnosis).refined
    assert (refined.schema, refined.table, refined.column) == ("other", "orders", "note")


# Another schema, search_path, permission


def test_other_schema(make_database: Make) -> None:
    base = make_database("CREATE SCHEMA app; CREATE TABLE app.orders (id int, total int)")
    assert_cause(prove(base, error(base, "SELECT total FROM orders")), "other_schema")
    assert_cause(prove(base, stated("missing_table", table="orders")), "other_schema")
    assert_cause(prove(base, stated("missing_table", schema="public", table="orders")), "other_schema")


def test_a_table_of_the_same_name_that_does_not_fit_is_another_one(make_database: Make) -> None:
    base = make_database("CREATE SCHEMA app; CREATE TABLE app.orders (id int)")
    found = prove(base, error(base, "SELECT total FROM orders"))
    assert_cause(found, "missing")
    assert_ruled_out(found, "other_schema")


def test_the_column_is_in_the_same_table_of_another_schema(make_database: Make) -> None:
    base = make_database(SHOP + "CREATE SCHEMA app; CREATE TABLE app.orders (id int, total int)")
    assert_cause(prove(base, error(base, "SELECT total FROM orders")), "other_schema")
    assert_cause(prove(base, error(base, "SELECT note FROM orders")), "missing")


def test_the_only_table_of_the_name_is_the_one_that_lacks_the_column(make_database: Make) -> None:
    base = make_database("CREATE SCHEMA app; CREATE TABLE app.orders (id int)")
    found = prove(base, stated("missing_column", table="orders", column="note"))
    assert_cause(found, "missing")
    assert found.refined.schema == "app"
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA b; CREATE TABLE b.orders (id int)")
    assert prove(base, stated("missing_column", table="orders", column="note")).refined.schema is None


def test_search_path_is_not_the_roles(role: str, make_database: Make) -> None:
    base = make_database(
        f"CREATE SCHEMA app AUTHORIZATION {role}; CREATE TABLE app.orders (id int); "
        f"ALTER TABLE app.orders OWNER TO {role}; ALTER ROLE {role} SET search_path = app"
    )
    leaked = prove(base, stated("missing_table", table="orders"), user=role, before="SET search_path = public")
    assert_cause(leaked, "search_path")
    assert f"search_path is not what is set for the role {role}" in said(leaked, "search_path")
    near = prove(base, stated("missing_table", table="parcels"), user=role, before="SET search_path = public")
    assert_cause(near, "missing")
    assert_ruled_out(near, "search_path")
    assert_cause(prove(base, stated("missing_table", table="orders"), user=role), "fixed_meanwhile")


def test_search_path_is_not_what_the_session_began_with(make_database: Make) -> None:
    base = make_database(SHOP)
    leaked = prove(base, stated("missing_column", table="orders", column="id"), before="SET search_path = nowhere")
    assert_cause(leaked, "search_path")
    qualified = stated("missing_table", schema="nowhere", table="orders")
    assert_ruled_out(prove(base, qualified, before="SET search_path = nowhere"), "search_path")


def test_behind_a_pooler_other_sessions_may_have_another_search_path(make_database: Make) -> None:
    base = make_database(SHOP)
    with Target(reference="test", _conninfo=base).reading() as conn:
        identity = dataclasses.replace(target.identify(conn), pooled=True)
        found = proof.prove(conn, stated("missing_table", table="orders"), identity)
    assert_cause(found, "fixed_meanwhile")
    assert verdict(found, "search_path") == "not known"


def test_settings_of_a_role_in_a_database_weigh_most(role: str, make_database: Make) -> None:
    base = make_database("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE b.orders (id int)")
    name = conninfos.conninfo_to_dict(base)["dbname"]
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"GRANT USAGE ON SCHEMA b TO {role}; ALTER DATABASE {name} SET search_path = a")
        conn.execute(f"ALTER ROLE {role} SET search_path = a; ALTER ROLE {role} IN DATABASE {name} SET search_path = b")
    leaked = prove(base, stated("missing_table", table="orders"), user=role, before="SET search_path = a")
    assert_cause(leaked, "search_path")
    assert f"the role {role} in the database {name}: b" in said(leaked, "search_path")


def test_permission_hides_a_schema(role: str, make_database: Make) -> None:
    base = make_database("CREATE SCHEMA app; CREATE TABLE app.orders (id int)")
    path = "SET search_path = app, public"
    hidden = prove(base, stated("missing_table", table="orders"), user=role, before=path)
    assert_cause(hidden, "permission")
    assert f"{role} may not use the schema app" in said(hidden, "permission")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON app.orders TO {role}")
    near = prove(base, stated("missing_table", table="orders"), user=role, before=path)
    assert_cause(near, "fixed_meanwhile")
    assert_ruled_out(near, "permission")


def test_a_hidden_schema_where_nobody_looks_is_not_the_cause(role: str, make_database: Make) -> None:
    base = make_database("CREATE SCHEMA app; CREATE SCHEMA secret; CREATE TABLE secret.orders (id int)")
    for missing in (stated("missing_table", table="orders"), stated("missing_table", schema="app", table="orders")):
        found = prove(base, missing, user=role)
        assert_cause(found, "other_schema")
        assert_ruled_out(found, "permission")


def test_no_privilege_at_all_looks_like_a_missing_table(role: str, make_database: Make) -> None:
    base = make_database(SHOP)
    assert_cause(prove(base, stated("missing_table", table="orders"), user=role), "permission")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"GRANT SELECT (id) ON orders TO {role}")
    assert_cause(prove(base, stated("missing_table", table="orders"), user=role), "fixed_meanwhile")


def test_platform_owned(role: str, make_database: Make) -> None:
    base = make_database("CREATE SCHEMA auth; CREATE TABLE auth.sessions (id uuid)")
    found = prove(base, error(base, "SELECT sid FROM sessions"))
    assert_cause(found, "platform_owned")
    assert "auth.sessions belongs to postgres" in said(found, "platform_owned")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"ALTER TABLE auth.sessions OWNER TO {role}")
    near = prove(base, stated("missing_table", table="sessions"))
    assert_cause(near, "other_schema")
    assert_ruled_out(near, "platform_owned")


# Other names


def test_other_case(make_database: Make) -> None:
    base = make_database(SHOP + 'CREATE TABLE "Users" (id int)')
    column = prove(base, error(base, "SELECT isPaid FROM orders"))
    assert_cause(column, "other_case")
    assert 'orders."isPaid"' in said(column, "other_case")
    assert_cause(prove(base, error(base, "SELECT id FROM Users")), "other_case")
    assert_cause(prove(base, stated("missing_table", schema="public", table="users")), "other_case")
    assert_cause(prove(base, error(base, "SELECT email FROM Users")), "missing")  # "Users" does not fit


def test_near_name(make_database: Make) -> None:
    base = make_database(SHOP + "CREATE TABLE user_sessions (id int, expires_at timestamptz)")
    assert_cause(prove(base, error(base, "SELECT id FROM user_session s")), "near_name")
    assert_cause(prove(base, error(base, "SELECT u.expire_at FROM user_sessions u")), "near_name")
    assert_cause(prove(base, error(base, "SELECT placedAt FROM orders")), "near_name")
    unfit = prove(base, error(base, "SELECT token FROM user_session"))
    assert_cause(unfit, "missing")
    assert_ruled_out(unfit, "near_name")


def test_reserved_name(make_database: Make) -> None:
    base = make_database('CREATE TABLE "user" (id int, name text)')
    found = prove(base, error(base, "SELECT name FROM user"))
    assert_cause(found, "reserved_name")
    assert_ruled_out(found, "fixed_meanwhile", "missing")
    near = prove(base, error(base, 'SELECT mail FROM "user"'))
    assert_cause(near, "missing")
    assert_ruled_out(near, "reserved_name")
    assert verdict(prove(base, stated("missing_column", table="user", column="mail")), "reserved_name") == "not known"
    syntax = prove(base, error(base, "INSERT INTO user (id) VALUES (1)"))
    assert_cause(syntax, "reserved_name")


# Time


def test_fixed_meanwhile(make_database: Make) -> None:
    base = make_database(SHOP)
    text = error(base, "SELECT id, note FROM orders")
    assert_cause(prove(base, text), "missing")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("ALTER TABLE orders ADD COLUMN note text")
    fixed = prove(base, text)
    assert_cause(fixed, "fixed_meanwhile")
    assert "the server takes the statement" in said(fixed, "fixed_meanwhile")


def test_there_now_and_the_statement_fails_with_something_else(make_database: Make) -> None:
    base = make_database(SHOP)
    text = error(base, "SELECT placed_on, note FROM orders")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("ALTER TABLE orders ADD COLUMN placed_on date")
    found = prove(base, text)
    assert_cause(found, "fixed_meanwhile")
    assert 'column "note" does not exist' in said(found, "fixed_meanwhile")


def test_parse_does_not_look_into_triggers(make_database: Make) -> None:
    base = make_database(
        SHOP
        + "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamped := now(); RETURN NEW; END';"
        "CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp()"
    )
    found = prove(base, error(base, "INSERT INTO orders (id, customer_id) VALUES (1, 1)"))
    assert found.cause != "fixed_meanwhile"
    assert verdict(found, "fixed_meanwhile") in ("not known", "ruled out")


def test_the_ledger_claims_it(role: str, make_database: Make) -> None:
    base = make_database(
        SHOP + 'CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY);'
        "INSERT INTO \"SequelizeMeta\" VALUES ('01-create-orders.js'), ('02-add-deletedAt-to-orders.js')"
    )
    claimed = prove(base, error(base, "SELECT deleted_at FROM orders"))
    assert_cause(claimed, "ledger_claims_it")
    assert "02-add-deletedAt-to-orders.js" in said(claimed, "ledger_claims_it")
    other = prove(base, error(base, "SELECT deleted_at FROM items"))
    assert_cause(other, "missing")
    assert verdict(other, "ledger_claims_it") == "not known"
    unreadable = prove(base, stated("missing_column", table="orders", column="deleted_at"), user=role)
    assert "cannot be read by this role" in said(unreadable, "ledger_claims_it")


def test_a_table_that_only_has_a_ledgers_name_is_none(make_database: Make) -> None:
    base = make_database(
        "CREATE TABLE schema_migrations (version bigint); CREATE TABLE _prisma_migrations (migration_name text)"
    )
    found = prove(base, stated("migration_pending"))
    assert "_prisma_migrations" in said(found, "ledger_missing")
    assert "cannot be read" in said(found, "ledger_missing")  # it lacks what Prisma's own has
    assert_cause(
        prove(make_database("CREATE TABLE schema_migrations (id bigint)"), stated("migration_pending")),
        "ledger_missing",
    )


def test_standby(make_database: Make, server: embedded.Server) -> None:
    base = make_database(SHOP)
    standby = server.standby()
    try:
        name = conninfos.conninfo_to_dict(base)["dbname"]
        there = standby.conninfo(str(name))
        _catch_up(base, standby)
        assert_ruled_out(prove(there, stated("missing_table", table="parcels")), "standby")
        written = prove(there, stated("read_only", sqlstate="25006"))
        assert_cause(written, "standby")
        with psycopg.connect(standby.conninfo(), autocommit=True) as conn:
            conn.execute("SELECT pg_wal_replay_pause()")
            with psycopg.connect(base, autocommit=True) as primary:
                primary.execute("CREATE TABLE parcels (id int)")
            _until(
                lambda: bool(conn.execute("SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()").fetchone()[0])
            )
            behind = prove(there, stated("missing_table", table="parcels"))
            assert_cause(behind, "standby")
            assert "replay is paused" in said(behind, "standby")
            conn.execute("SELECT pg_wal_replay_resume()")
        _catch_up(base, standby)
        assert_cause(prove(there, stated("missing_table", table="parcels")), "fixed_meanwhile")
    finally:
        standby.stop()


def _catch_up(primary: str, standby: embedded.Server) -> None:
    with psycopg.connect(primary, autocommit=True) as conn:
        (lsn,) = conn.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",)
    with psycopg.connect(standby.conninfo(), autocommit=True) as conn:
        _until(lambda: bool(conn.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn]).fetchone()[0]))


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_other_database(make_database: Make) -> None:
    base = make_database(SHOP)
    here = str(conninfos.conninfo_to_dict(base)["dbname"])
    assert_cause(prove(base, stated("missing_table", table="parcels", database="shop")), "other_database")
    assert_cause(prove(base, stated("missing_table", table="parcels", database=here)), "missing")
    assert_cause(prove(base, stated("missing_column", table="parcels", column="id")), "other_database")
    model = prove(base, stated("missing_column", table="Order", column="note"))
    assert model.cause == proof.UNKNOWN
    assert "perhaps orders is meant" in said(model, "other_database")
    listed = prove(base, stated("missing_table", table="parcels"))
    assert verdict(listed, "other_database") == "not known"
    assert "postgres" in said(listed, "other_database")


# Which table lacks the column


def test_the_one_table_in_scope_is_told(make_database: Make) -> None:
    base = make_database(SHOP)
    sql = "SELECT total FROM orders WHERE id IN (SELECT i.order_id FROM items i WHERE i.sku = 'a')"
    found = prove(base, error(base, sql))
    assert_cause(found, "missing")
    assert (found.refined.table, found.refined.certainty["table"]) == ("orders", "derived")


def test_of_joined_tables_neither_is_told(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, error(base, "SELECT total FROM orders JOIN items ON items.order_id = orders.id"))
    assert_cause(found, "missing")
    assert found.refined.table is None
    assert "of orders or items" in said(found, "missing")


def test_a_column_of_a_subquery_is_no_tables(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, error(base, "SELECT total FROM (SELECT id FROM orders) AS o"))
    assert found.refined.table is None
    assert verdict(found, "missing") == "not known"


def test_a_column_that_joined_tables_have_in_another_case(make_database: Make) -> None:
    base = make_database(SHOP)
    assert_cause(prove(base, error(base, "WITH a AS (SELECT 1) SELECT isPaid FROM orders, items, a")), "other_case")


def test_an_alias_without_sql_is_a_guess(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, "SequelizeDatabaseError: column Order.deletedAt does not exist")
    assert (found.refined.table, found.refined.certainty["table"]) == ("orders", "guessed")
    assert "(probably of orders)" in said(found, "missing")
    assert prove(base, stated("missing_column", alias="p", column="x")).refined.table is None


# Functions, types, schemas, enums, constraints


def test_functions(make_database: Make) -> None:
    base = make_database(
        "CREATE SCHEMA lib; CREATE FUNCTION lib.gross(numeric) RETURNS numeric LANGUAGE sql RETURN $1 * 1.19;"
        "CREATE FUNCTION net(numeric) RETURNS numeric LANGUAGE sql RETURN $1"
    )
    assert_cause(prove(base, error(base, "SELECT gross(1.0)")), "other_schema")
    other = prove(base, error(base, "SELECT net('a', 'b')"))
    assert_cause(other, "other_arguments")
    assert "net(numeric)" in said(other, "other_arguments")
    assert_cause(prove(base, error(base, "SELECT lower(1)")), "other_arguments")
    assert_cause(prove(base, error(base, "SELECT nett(1.0)")), "missing")  # too short a name to be near
    assert_cause(prove(base, error(base, "SELECT brutto(1.0)")), "missing")
    fixed = prove(base, stated("missing_function", function="net", message="function net(numeric) does not exist"))
    assert_cause(fixed, "fixed_meanwhile")


def test_extensions(make_database: Make) -> None:
    base = make_database("")
    text = error(base, "SELECT similarity('a', 'b')")
    assert_cause(prove(base, text), "extension")
    assert_cause(prove(base, error(base, "SELECT 'a'::citext")), "extension")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions")
    near = prove(base, stated("missing_function", function="similarity"), before="SET search_path = public")
    assert_ruled_out(near, "extension")


def test_types(make_database: Make) -> None:
    base = make_database(
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good'); CREATE TYPE weather AS ENUM ('fine')"
    )
    assert_cause(prove(base, error(base, "SELECT 'good'::mood")), "other_schema")
    assert_cause(prove(base, error(base, "SELECT 'fine'::app.weather")), "other_schema")
    assert_cause(prove(base, error(base, "SELECT 'fine'::wheather")), "near_name")
    assert_cause(prove(base, error(base, "SELECT 'fine'::colour")), "missing")


def test_schemas(role: str, make_database: Make) -> None:
    base = make_database('CREATE SCHEMA "Billing"; CREATE SCHEMA reports; CREATE SCHEMA secret')
    assert_cause(prove(base, error(base, "CREATE TABLE billing.a (id int)")), "other_case")
    assert_cause(prove(base, error(base, "CREATE TABLE report.a (id int)")), "near_name")
    assert_cause(prove(base, error(base, "CREATE TABLE sales.a (id int)")), "missing")
    assert_cause(prove(base, stated("missing_schema", schema="secret"), user=role), "permission")
    assert_cause(prove(base, stated("missing_schema", schema="secret")), "fixed_meanwhile")


def test_no_schema_to_create_in(role: str, make_database: Make) -> None:
    base = make_database("CREATE SCHEMA secret")
    unnamed = triage.diagnose("ERROR:  no schema has been selected to create in")
    found = prove(base, unnamed, user=role, before="SET search_path = nowhere, secret")
    assert_cause(found, "search_path")
    assert "secret is there, owned by postgres" in said(found, "search_path")
    assert_ruled_out(prove(base, unnamed, user=role, before="SET search_path = nowhere, public"), "search_path")


def test_what_fails_with_a_value_does_not_fail_when_parsed(make_database: Make) -> None:
    base = make_database("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)")
    found = prove(base, error(base, "INSERT INTO a VALUES (1)"))
    assert found.cause == proof.UNKNOWN
    syntax = stated("other", sqlstate="42702", statement="SELECT id FROM a")
    assert_cause(prove(base, syntax), "fixed_meanwhile")


def test_an_alias_that_the_statement_does_not_define_is_no_table(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, stated("missing_table", sqlstate="42P01", statement="SELECT c.id FROM orders o"))
    assert found.refined.table is None


def test_enum_labels(make_database: Make) -> None:
    base = make_database("CREATE TYPE state AS ENUM ('due', 'Paid'); CREATE TABLE bills (id int, state state)")
    assert_cause(prove(base, error(base, "UPDATE bills SET state = 'paid'")), "other_case")
    text = error(base, "UPDATE bills SET state = 'refunded'")
    missing = prove(base, text)
    assert_cause(missing, "missing")
    assert missing.refined.schema == "public"
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("ALTER TYPE state ADD VALUE 'refunded'")
    assert_cause(prove(base, text), "fixed_meanwhile")


def test_constraints(make_database: Make) -> None:
    base = make_database("CREATE TABLE a (id int CONSTRAINT a_ids_check CHECK (id > 0))")
    assert_cause(prove(base, error(base, "ALTER TABLE a DROP CONSTRAINT a_id_check")), "near_name")
    assert_cause(prove(base, error(base, "ALTER TABLE a DROP CONSTRAINT positive")), "missing")
    there = stated("missing_constraint", table="a", constraint="a_ids_check")
    assert_cause(prove(base, there), "fixed_meanwhile")


def test_unique_indexes(make_database: Make) -> None:
    base = make_database("CREATE TABLE a (b int, c int); INSERT INTO a VALUES (1, 1), (1, 1)")
    text = error(base, "INSERT INTO a (b, c) VALUES (1, 2) ON CONFLICT (b, c) DO NOTHING")
    assert_cause(prove(base, text), "missing")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("CREATE UNIQUE INDEX ON a (c, b) WHERE b > 1")
        assert_cause(prove(base, text), "missing")  # counts only under its condition
        with contextlib.suppress(psycopg.errors.UniqueViolation):
            conn.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON a (c, b)")
        assert_cause(prove(base, text), "invalid_index")
        conn.execute("DROP INDEX broken; DELETE FROM a; CREATE UNIQUE INDEX ON a (c, b)")
    assert_cause(prove(base, text), "fixed_meanwhile")
    assert_cause(prove(base, error(base, "CREATE TABLE d (b int REFERENCES a (b))")), "missing")


# What is there


def test_duplicates(make_database: Make) -> None:
    base = make_database(
        SHOP
        + "CREATE TABLE schema_migrations (name text PRIMARY KEY);"
        + "INSERT INTO schema_migrations VALUES ('1_create_orders.sql')"
    )
    again = prove(base, error(base, "CREATE TABLE orders (id int)"))
    assert_cause(again, "exists_already")
    assert verdict(again, "ledger_claims_it") == "confirmed"
    behind = prove(base, error(base, "ALTER TABLE orders ADD COLUMN placed_at date"))
    assert_cause(behind, "exists_already")
    assert verdict(behind, "ledger_claims_it") == "not known"
    assert_cause(prove(base, stated("duplicate_object", table="parcels")), "fixed_meanwhile")
    assert_cause(prove(base, error(base, "CREATE SCHEMA public")), "exists_already")


def test_types_of_columns(make_database: Make) -> None:
    base = make_database("CREATE TABLE bills (id int, total text)")
    compare = error(base, "SELECT id FROM bills WHERE total > id")
    found = prove(base, compare)
    assert_cause(found, "other_type")
    assert "public.bills.total text" in said(found, "other_type")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("ALTER TABLE bills ALTER total TYPE int USING 0")
    assert_cause(prove(base, compare), "fixed_meanwhile")


def test_not_null(make_database: Make) -> None:
    base = make_database("CREATE TABLE a (id int NOT NULL, b int NOT NULL DEFAULT 1, c int)")
    text = error(base, "INSERT INTO a (c) VALUES (1)")
    assert_cause(prove(base, text), "no_default")
    explicit = prove(base, error(base, "INSERT INTO a (id, b) VALUES (1, NULL)"))
    assert_cause(explicit, "explicit_null")
    assert_ruled_out(explicit, "no_default")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("ALTER TABLE a ALTER id DROP NOT NULL")
    assert_cause(prove(base, text), "fixed_meanwhile")


# Rights


def test_grants(role: str, make_database: Make) -> None:
    base = make_database(SHOP + f"GRANT SELECT ON orders TO {role}")
    own = conninfos.make_conninfo(base, user=role)
    text = error(own, "UPDATE orders SET customer_id = 1")
    found = prove(base, text, user=role)
    assert_cause(found, "permission")
    assert f"{role} lacks UPDATE on public.orders, which postgres owns" in said(found, "permission")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"GRANT UPDATE ON orders TO {role}")
    near = prove(base, text, user=role)
    assert_ruled_out(near, "permission")
    assert near.cause == proof.UNKNOWN


def test_grants_on_columns(role: str, make_database: Make) -> None:
    base = make_database(SHOP + f"GRANT SELECT (id), UPDATE (placed_at) ON orders TO {role}")
    own = conninfos.make_conninfo(base, user=role)
    found = prove(base, error(own, "SELECT id, placed_at FROM orders"), user=role)
    assert_cause(found, "permission")
    assert "SELECT on table public.orders: on the columns id" in said(found, "permission")
    text = "ERROR:  42501: permission denied for table orders\nSTATEMENT:  SELECT o.id FROM orders o"
    assert_ruled_out(prove(base, text, user=role), "permission")


def test_usage_of_the_schema(role: str, make_database: Make) -> None:
    base = make_database(f"CREATE SCHEMA app; CREATE TABLE app.orders (id int); GRANT SELECT ON app.orders TO {role}")
    found = prove(base, error(conninfos.make_conninfo(base, user=role), "SELECT id FROM app.orders"), user=role)
    assert_cause(found, "permission")
    assert "lacks USAGE" in said(found, "permission")


def test_owners_and_policies(role: str, make_database: Make) -> None:
    base = make_database(
        f"CREATE TABLE a (id int); GRANT ALL ON a TO {role};"
        f"CREATE TABLE b (id int); GRANT ALL ON b TO {role}; ALTER TABLE b ENABLE ROW LEVEL SECURITY"
    )
    own = conninfos.make_conninfo(base, user=role)
    assert_cause(prove(base, error(own, "ALTER TABLE a ADD COLUMN c int"), user=role), "not_owner")
    assert_cause(prove(base, error(own, "INSERT INTO b VALUES (1)"), user=role), "row_security")
    assert_ruled_out(prove(base, stated("permission", table="a"), user=role), "row_security", "permission")


def test_logins(role: str, server: embedded.Server) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        assert_cause(prove(server.conninfo(), stated("authentication", role="nobody here")), "role_missing")
        assert prove(server.conninfo(), stated("authentication", role=role)).cause == proof.UNKNOWN
        conn.execute(f"ALTER ROLE {role} VALID UNTIL '2001-01-01'")
        assert_cause(prove(server.conninfo(), stated("authentication", role=role)), "password_expired")
        conn.execute(f"ALTER ROLE {role} NOLOGIN")
        assert_cause(prove(server.conninfo(), stated("authentication", role=role)), "no_login")


def test_databases(server: embedded.Server) -> None:
    with server.scratch() as name:
        assert_cause(prove(server.conninfo(), stated("missing_database", database=name.upper())), "other_case")
        assert_cause(prove(server.conninfo(), stated("missing_database", database=name)), "fixed_meanwhile")
    assert_cause(prove(server.conninfo(), stated("missing_database", database="shop")), "missing")


# Use


def await_sessions(base: str, count: int) -> None:
    """Wait until the sessions that were closed are gone: this one and the others make *count*."""
    listing = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type LIKE 'client%'"
    with psycopg.connect(base, autocommit=True) as conn:
        end = time.monotonic() + 10
        while conn.execute(listing).fetchone() != (count,) and time.monotonic() < end:
            time.sleep(0.02)


def test_connection_limits(role: str, make_database: Make) -> None:
    base = make_database(f"ALTER ROLE {role} CONNECTION LIMIT 3")
    full = stated("pool_exhausted", sqlstate="53300")
    own = conninfos.make_conninfo(base, user=role, application_name="web")
    assert_cause(prove(base, full, user=role), "fixed_meanwhile")
    with psycopg.connect(own), psycopg.connect(own):
        assert_cause(prove(base, stated("pool_exhausted"), user=role), "pool_limit")  # two of three
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"ALTER ROLE {role} CONNECTION LIMIT 2")
    with psycopg.connect(own):
        name = conninfos.conninfo_to_dict(base)["dbname"]
        with psycopg.connect(base, autocommit=True) as conn:
            conn.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 2")
        found = prove(base, full)
        assert_ruled_out(found, "server_full", "role_limit")
        assert f"1 of 2 connections of the database {name}" in said(found, "database_limit")
        await_sessions(base, 2)
        with psycopg.connect(own):
            limited = prove(base, full)
    assert_cause(limited, "database_limit")
    assert f"2 × {role} (web)" in said(limited, "database_limit")


def test_a_full_server() -> None:
    small = embedded.start(settings={"max_connections": "6", "superuser_reserved_connections": "3"})
    try:
        with contextlib.ExitStack() as sessions:
            assert_cause(prove(small.conninfo(), stated("pool_exhausted", sqlstate="53300")), "fixed_meanwhile")
            for _ in range(3):
                sessions.enter_context(psycopg.connect(small.conninfo()))
            assert_cause(prove(small.conninfo(), stated("pool_exhausted", sqlstate="53300")), "server_full")
    finally:
        small.stop()


def test_idle_in_transaction(role: str, make_database: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    base = make_database("")
    with psycopg.connect(base, application_name="worker") as held:
        held.execute("SELECT 1")
        assert_ruled_out(prove(base, stated("pool_exhausted")), "idle_in_transaction")  # not long enough
        monkeypatch.setattr(occupancy, "_LONG_IDLE", 0.0)
        found = prove(base, stated("pool_exhausted"))
        assert_cause(found, "idle_in_transaction")
        assert "postgres (worker)" in said(found, "idle_in_transaction")
        assert verdict(prove(base, stated("pool_exhausted"), user=role), "idle_in_transaction") == "not known"
    assert_ruled_out(prove(base, stated("pool_exhausted")), "idle_in_transaction")


def test_the_server_answers(make_database: Make) -> None:
    assert_cause(prove(make_database(""), stated("connection_refused")), "fixed_meanwhile")


def test_who_blocks_whom(make_database: Make) -> None:
    base = make_database(SHOP)
    migration = triage.diagnose(
        "ERROR:  canceling statement due to lock timeout\nSTATEMENT:  ALTER TABLE orders ADD COLUMN a int"
    )
    assert_ruled_out(prove(base, migration), "blocked")
    with psycopg.connect(base, application_name="report") as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT FROM orders")
        held = prove(base, migration)
        assert_cause(held, "blocked")
        assert "ACCESS SHARE on public.orders" in said(held, "blocked")
        query = triage.diagnose("ERROR:  canceling statement due to lock timeout\nSTATEMENT:  SELECT id FROM orders")
        assert verdict(prove(base, query), "blocked") == "not known"  # a reader does not keep a reader waiting
        with psycopg.connect(base, autocommit=True) as waiter:
            waiting = threading.Thread(target=lambda: waiter.execute("ALTER TABLE orders ADD COLUMN a int"))
            waiting.start()
            _until(lambda: bool(_waiting(base)))
            found = prove(base, stated("deadlock", sqlstate="40P01"))
            reader.rollback()
            waiting.join()
    assert_cause(found, "blocked")
    assert f"blocks {waiter.info.backend_pid if not waiter.closed else ''}" in said(found, "blocked")
    assert "postgres, report, idle in transaction" in said(found, "blocked")


def _waiting(base: str) -> list[object]:
    with psycopg.connect(base) as conn:
        return conn.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchall()


def test_read_only(role: str, make_database: Make) -> None:
    base = make_database("")
    name = conninfos.conninfo_to_dict(base)["dbname"]
    near = prove(base, stated("read_only", sqlstate="25006"))
    assert near.cause == proof.UNKNOWN
    assert_ruled_out(near, "standby", "read_only_setting")
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found = prove(base, stated("read_only", sqlstate="25006"))
    assert_cause(found, "read_only_setting")
    assert f"set for database {name}" in said(found, "read_only_setting")


def test_stale_plans(make_database: Make) -> None:
    base = make_database(SHOP)
    assert_cause(prove(base, stated("stale_plan", statement="SELECT * FROM orders")), "stale_plan")
    assert_ruled_out(prove(base, stated("stale_plan", statement="SELECT * FROM parcels")), "stale_plan")


# Any role, any text


@pytest.mark.parametrize(
    "catalog", ["pg_db_role_setting", "pg_database", "pg_roles", "pg_class", "pg_settings", "pg_locks"]
)
def test_what_a_role_may_not_read_is_not_known(role: str, make_database: Make, catalog: str) -> None:
    base = make_database(SHOP + f"REVOKE ALL ON pg_catalog.{catalog} FROM PUBLIC")
    kinds = ("missing_column", "missing_function", "permission", "lock_timeout", "pool_exhausted", "read_only")
    diagnoses = [
        stated(kind, table="orders", column="note", function="f", role="r") for kind in (*kinds, "authentication")
    ]
    answers = [prove_as(base, role, each) for each in diagnoses]
    assert any("cannot read" in str(each) or "cannot be read" in str(each) for each in answers)


def prove_as(base: str, role: str, diagnosis: Diagnosis) -> Proof:
    """Prove as a role that may not even read what an identity is made of."""
    identity = Target(reference="test", _conninfo=base).identity()
    with Target(reference="test", _conninfo=conninfos.make_conninfo(base, user=role)).reading() as conn:
        return proof.prove(conn, diagnosis, identity)


NAMES = st.one_of(
    st.sampled_from(['"; DROP TABLE orders; --', "o'r", "\0", "\ud800", "é" * 80, "<b>", "%s", "orders", "isPaid", ""]),
    st.text(),
)


@given(st.sampled_from(sorted(proof._KINDS)), st.dictionaries(st.sampled_from(inquiry._NAMES), NAMES), NAMES, NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_names_can_be_asked_for(
    hostile: psycopg.Connection, kind: str, names: dict[str, str], a: str, b: str
) -> None:
    quoted = [part.replace('"', '""') for part in (a, b)]
    diagnosis = stated(kind, statement=f'SELECT "{quoted[0]}" FROM orders, "{quoted[1]}"', **names)
    with target.read_only(hostile):
        found = proof.prove(hostile, diagnosis, target.identify(hostile))
    assert str(found)
    assert "<b>" not in found._repr_html_()
    assert hostile.execute("SELECT count(*) FROM orders").fetchone() == (0,)


@pytest.fixture
def hostile(make_database: Make) -> Iterator[psycopg.Connection]:
    with Target(reference="test", _conninfo=make_database(SHOP)).connect() as conn:
        yield conn


def test_a_lost_connection_is_told(make_database: Make) -> None:
    from mendbook.errors import Surroundings

    base = make_database(SHOP)
    with Target(reference="test", _conninfo=base).connect() as conn, target.read_only(conn):
        identity = target.identify(conn)
        with psycopg.connect(base, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])
        with pytest.raises(Surroundings, match="nothing was changed"):
            proof.prove(conn, stated("missing_table", table="orders"), identity)


def test_what_is_not_postgres_is_not_asked(make_database: Make) -> None:
    found = prove(make_database(""), Diagnosis(is_postgres=False))
    assert (found.findings, found.cause) == ((), proof.UNKNOWN)


def test_the_cause_comes_first_in_words_and_tables(make_database: Make) -> None:
    base = make_database(SHOP)
    found = prove(base, error(base, "SELECT isPaid FROM orders"))
    assert found.rows()[0][:2] == ("confirmed", "another case")
    assert str(found).startswith('The name is "isPaid", and the statement asks for ispaid.')
    assert "<table" in found._repr_html_()
    assert {each.check for each in found.findings} <= set(finding.CAUSES.values())
