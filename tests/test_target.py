"""References to databases: what they may look like, and what their identity says."""

from __future__ import annotations

import psycopg
import pytest
from mendbook import embedded, target
from mendbook.errors import Usage, WrongTarget
from mendbook.schema import snapshot
from psycopg.conninfo import conninfo_to_dict


def resolved(reference: str) -> dict[str, object]:
    return dict(conninfo_to_dict(target.resolve(reference)._conninfo))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://app@db/shop", {"user": "app", "host": "db", "dbname": "shop"}),
        ("postgresql+psycopg://app@db/shop", {"user": "app", "host": "db", "dbname": "shop"}),
        (
            "postgres://app@db/shop?schema=public&connection_limit=5&pgbouncer=true",
            {"options": '-csearch_path="public"'},
        ),
        ("postgres://app@db/shop?schema=my%20schema", {"options": '-csearch_path="my\\ schema"'}),
        ("postgres://app@db/shop?sslmode=require&application_name=x", {"sslmode": "require", "application_name": "x"}),
        ("postgres:///shop?host=/run/sockets", {"host": "/run/sockets"}),
    ],
)
def test_urls_are_read_as_applications_write_them(url: str, said: dict[str, str]) -> None:
    found = resolved(url)
    assert {name: found.get(name) for name in said} == said
    assert not {"schema", "connection_limit", "pgbouncer"} & found.keys()


def test_a_password_in_the_environment_is_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "postgres://app:s3cret-word@db/shop")
    found = target.resolve("env:SHOP")
    assert conninfo_to_dict(found._conninfo)["password"] == "s3cret-word"
    assert "s3cret-word" not in repr(found) + str(found)


def test_a_service_is_left_to_libpq() -> None:
    assert resolved("service:orders") == {"service": "orders"}


@pytest.mark.parametrize("reference", ["", "shop", "env:", "service:", "mysql://x/y", "env", "http://db", "embedded"])
def test_what_is_no_reference_is_refused_with_the_way_out(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("", raising=False)
    with pytest.raises(Usage):
        target.resolve(reference)


def test_the_identity_is_the_servers_own_answer(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", database)
    name = str(conninfo_to_dict(database)["dbname"])
    opened, identity = target.open_target("env:SHOP", expected_database=name)
    assert (identity.database, identity.role, identity.standby, identity.pooled) == (name, "postgres", False, False)
    assert identity.schemas == ("public",)
    assert identity.major == embedded.server().major
    assert identity.size > 1_000_000
    assert identity.system_identifier
    assert opened.identity().proof() == identity.proof()
    with pytest.raises(WrongTarget, match="'other' was expected"):
        target.open_target("env:SHOP", expected_database="other")


def test_reading_cannot_change_anything(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", database)
    with target.resolve("env:SHOP").reading() as conn:
        settings = conn.execute(
            "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout'),"
            " current_setting('lock_timeout'), current_setting('transaction_isolation')"
        ).fetchone()
        assert settings == ("on", "1min", "2s", "repeatable read")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("CREATE TABLE t ()")


def test_an_embedded_database_is_made_when_it_is_named() -> None:
    name = "a test's own"
    try:
        with target.resolve(f"embedded:{name}").connect() as conn:
            assert conn.info.dbname == name
    finally:
        embedded.server("mendbook").drop(name)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_read_as_text(
    encoding: str, server: embedded.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"in {encoding}"
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        made = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE 'C' ENCODING {}")
        conn.execute(made.format(psycopg.sql.Identifier(name), encoding))
    try:
        monkeypatch.setenv("OLD", server.conninfo(name))
        with target.resolve("env:OLD").connect() as conn:
            conn.execute("CREATE TABLE t (a text)")
        opened, identity = target.open_target("env:OLD")
        assert identity.database == name
        with opened.reading() as conn:
            assert [table.name for table in snapshot.read(conn).tables()] == ["t"]
    finally:
        server.drop(name)
