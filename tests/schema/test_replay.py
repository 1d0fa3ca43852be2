"""What each migration of a folder does, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from mendbook import embedded
from mendbook.migrations import Migration
from mendbook.schema import replay
from mendbook.schema.replay import Replay

MAJOR = max(embedded.majors())


def play(*texts: str, schemas: tuple[str, ...] = ("public",)) -> Replay:
    migrations = [
        Migration(name=str(at), title=f"{at}.sql", path=Path(f"{at}.sql"), text=text) for at, text in enumerate(texts)
    ]
    return replay.run(migrations, major=MAJOR, schemas=schemas)


def keys(done: Replay, name: str) -> list[str]:
    return [str(each.key) for each in done.effects[name]]


@pytest.mark.parametrize(
    ("texts", "last"),
    [
        (("CREATE TABLE a ();", "ALTER TABLE shop.a ADD b int;"), "column shop.a.b"),
        (("CREATE SCHEMA Shop;", "CREATE TABLE a ();"), "table shop.a"),
    ],
    ids=["the schema was there", "a migration makes the schema"],
)
def test_migrations_run_with_the_search_path(texts: tuple[str, str], last: str) -> None:
    done = play(*texts, schemas=("shop",))
    assert (done.stopped, keys(done, "1")) == ("", [last])


def test_privileges_are_effects_and_no_structure() -> None:
    done = play(
        "CREATE TABLE a (); GRANT SELECT ON a TO clerks; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO clerks"
    )
    assert done.stopped == ""
    assert {each.key.kind for each in done.effects["0"]} == {"table", "grant", "default privilege"}
    assert [each.key.kind for each in done.structure("0")] == ["table"]


def test_what_cannot_run_in_a_transaction_runs_without_one() -> None:
    done = play("CREATE TABLE a (b int);", "CREATE INDEX CONCURRENTLY i ON a (b);")
    assert (done.stopped, keys(done, "1")) == ("", ["index public.a.i"])


def test_what_was_left_out_is_said_of_its_migration() -> None:
    done = play("CREATE TABLE a ();", "CREATE EXTENSION no_such; CREATE TABLE b ();")
    assert done.left_out["0"] == ()
    assert "CREATE EXTENSION in 1.sql:1 was left out" in done.left_out["1"][0]
    assert keys(done, "1") == ["table public.b"]
