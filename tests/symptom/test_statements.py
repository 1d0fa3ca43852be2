from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook.symptom import statements
from psycopg import pq

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text, data jsonb, tags text[], "group" text, born timestamptz);
CREATE SCHEMA shared;
CREATE TABLE shared."Sessions" (id int, user_id int, "deletedAt" timestamptz);
"""

# Each as a client writes it, and as PostgreSQL's own.
PLACEHOLDERS = [
    ("SELECT id FROM users WHERE id = $1 AND data ? 'a'", "SELECT id FROM users WHERE id = $1 AND data ? 'a'"),
    ("SELECT id FROM users WHERE id=? AND name=?", "SELECT id FROM users WHERE id=$1 AND name=$2"),
    ("SELECT id FROM users WHERE data ? 'a' AND id = ?", "SELECT id FROM users WHERE data ? 'a' AND id = $1"),
    ("SELECT id FROM users WHERE data ? ?", "SELECT id FROM users WHERE data ? $1"),
    ("SELECT id FROM users WHERE data->'b' ?| array[?, ?]", "SELECT id FROM users WHERE data->'b' ?| array[$1, $2]"),
    ("SELECT id FROM users WHERE (data->'b') ?& ?", "SELECT id FROM users WHERE (data->'b') ?& $1"),
    ("SELECT id FROM users WHERE data ?? 'a' AND id = ?1", "SELECT id FROM users WHERE data ? 'a' AND id = $1"),
    ("SELECT id FROM users WHERE data \\? 'a' AND id = ?", "SELECT id FROM users WHERE data ? 'a' AND id = $1"),
    ("SELECT name||?||'?' FROM users LIMIT ? OFFSET ?", "SELECT name||$1||'?' FROM users LIMIT $2 OFFSET $3"),
    ("SELECT id FROM users WHERE id=?and name=?", "SELECT id FROM users WHERE id=$1 and name=$2"),
    ("SELECT id::text FROM users WHERE :id::int = :id", "SELECT id::text FROM users WHERE $1::int = $1"),
    ("SELECT tags[1:2], tags[:n], tags[:2] FROM users", "SELECT tags[1:2], tags[$1], tags[:2] FROM users"),
    ("SELECT tags[id:id] FROM users WHERE id = :1", "SELECT tags[id:id] FROM users WHERE id = $1"),
    ("SELECT id FROM users WHERE name = :'who'", "SELECT id FROM users WHERE name = $1"),
    ("SELECT id FROM users WHERE id IN :ids", "SELECT id FROM users WHERE id IN ($1)"),
    ("SELECT id FROM users WHERE id IN (:a, :b, :a)", "SELECT id FROM users WHERE id IN ($1, $2, $1)"),
    ("SELECT 'a%%', id %% 2 FROM users WHERE name<%s", "SELECT 'a%', id % 2 FROM users WHERE name<$1"),
    ("SELECT id % 2 FROM users WHERE name LIKE 'a%%'", "SELECT id % 2 FROM users WHERE name LIKE 'a%%'"),
    ("SELECT id FROM users WHERE id=%(id)s OR name = %(the name)s", "SELECT id FROM users WHERE id=$1 OR name = $2"),
    ("SELECT id FROM users WHERE id = @id AND tags <@ @tags", "SELECT id FROM users WHERE id = $1 AND tags <@ $2"),
    ("SELECT @id FROM users WHERE id = $1", "SELECT @id FROM users WHERE id = $1"),
    ("SELECT id FROM users WHERE id=@p0 AND data @> @p1", "SELECT id FROM users WHERE id=$1 AND data @> $2"),
    ("SELECT id FROM users WHERE id = {0} OR id = {1} + {0}", "SELECT id FROM users WHERE id = $1 OR id = $2 + $1"),
    ("SELECT id FROM users WHERE id = #{id} OR name = #{user.name}", "SELECT id FROM users WHERE id = $1 OR name = $2"),
    ("SELECT id FROM users WHERE id = $(id) OR name = ${name}", "SELECT id FROM users WHERE id = $1 OR name = $2"),
    ("SELECT ':a %s' AS \"?\" FROM users -- ?\nWHERE id=?", "SELECT ':a %s' AS \"?\" FROM users -- ?\nWHERE id=$1"),
    ("UPDATE users SET data = :data, name = $1 WHERE a ? b", "UPDATE users SET data = $2, name = $1 WHERE a ? b"),
]  # fmt: skip


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(SCHEMA)
        yield conn


@pytest.mark.parametrize(("written", "expected"), PLACEHOLDERS)
def test_placeholders_become_numbered(written: str, expected: str) -> None:
    statement = statements.normalise(written)
    assert statement.sql == expected
    assert statement.written == written
    assert {f"${parameter.number}" for parameter in statement.parameters} <= set(_words(expected))


def _words(sql: str) -> list[str]:
    return [token.text for token in statements.lexer.tokens(sql)]


def test_normalised_statements_parse(conn: psycopg.Connection) -> None:
    # The last one mixes styles in a way that no client does.
    answers = [conn.pgconn.prepare(b"", statements.normalise(written).sql.encode()) for written, _ in PLACEHOLDERS[:-1]]
    assert [answer.error_message for answer in answers if answer.status != pq.ExecStatus.COMMAND_OK] == []


def test_parameters_say_how_they_were_written() -> None:
    statement = statements.normalise("SELECT * FROM a WHERE b = :b AND c IN (:1, %(d e)s, ?) AND f = :b")
    assert [(p.number, p.style, p.name, statement.written[p.start]) for p in statement.parameters] == [
        (1, ":name", "b", ":"),
        (2, ":1", "1", ":"),
        (3, "%(name)s", "d e", "%"),
        (4, "?", None, "?"),
        (1, ":name", "b", ":"),
    ]


def test_a_name_in_place_of_a_value_is_told_apart() -> None:
    assert [p.style for p in statements.normalise("SELECT ?? FROM ?? WHERE a = ?").parameters] == ["??", "??", "?"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(list("?:%@{}#$()[]a1s'\" ,=|&<>-\\")), max_size=20).map("".join)))
def test_any_text_can_be_normalised(sql: str) -> None:
    statement = statements.normalise(sql)
    assert all(statement.written[p.start] in "?:%@{#$" for p in statement.parameters)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", ""),
        ("SELECT * FROM Users", "users=users"),
        ('SELECT * FROM shared."Sessions" AS "Session"', "Session=shared.Sessions"),
        ("SELECT * FROM a x, only b, d.c.e JOIN f g ON g.h = x.i, j", "x=a b=b e=c.e g=f j=j"),
        ("SELECT * FROM a LEFT JOIN LATERAL (SELECT * FROM b WHERE b.c = a.c) x ON true", "a=a b=b"),
        ("SELECT * FROM (a JOIN b USING (c, d)) j, unnest(e, f) g, ((h))", "a=a b=b h=h"),
        ("SELECT extract(epoch FROM c), trim(both FROM d) FROM a WHERE e IS NOT DISTINCT FROM f", "a=a"),
        ("SELECT * FROM a WHERE b IN (SELECT c FROM d e) ORDER BY f, g LIMIT 1 FOR UPDATE OF a", "a=a e=d"),
        ("SELECT a.from FROM a", "a=a"),
        ("UPDATE ONLY a * AS b SET c = d FROM e f WHERE g = 1", "b=a f=e"),
        ("INSERT INTO a (b, c) SELECT d, e FROM f ON CONFLICT (b) DO UPDATE SET c = 1", "a=a f=f"),
        ("INSERT INTO a AS x DEFAULT VALUES", "x=a"),
        ("DELETE FROM a USING b, c JOIN d USING (e, f) WHERE g = 1", "a=a b=b c=c d=d"),
        ("MERGE INTO a USING (SELECT * FROM b) x ON a.c = x.c WHEN MATCHED THEN UPDATE SET d = 1", "a=a b=b"),
        (
            "WITH a AS (SELECT * FROM b), c (d, e) AS NOT MATERIALIZED (DELETE FROM f) SELECT * FROM a, c, g",
            "b=b f=f g=g",
        ),
        ("WITH users AS (SELECT * FROM users) SELECT * FROM users", "users=users"),
        ("WITH RECURSIVE a AS (SELECT 1 UNION SELECT * FROM a) SELECT * FROM a", ""),
        ("WITH a AS (SELECT 1) SELECT * FROM public.a", "a=public.a"),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) b, a", "a=a"),
        ("ALTER TABLE IF EXISTS ONLY a.b ADD COLUMN c int", "b=a.b"),
        ("CREATE TABLE IF NOT EXISTS a (b int)", "a=a"),
        ("COPY a FROM stdin", ""),
        ("...c FROM a b WHERE", "b=a"),
        ("SELECT * FROM", ""),
    ],
)
def test_tables(sql: str, expected: str) -> None:
    found = statements.tables(sql)
    assert found == statements.normalise(sql).tables
    assert " ".join(f"{alias}={'.'.join(filter(None, table))}" for alias, table in found.items()) == expected


SYNTAX = [
    "(",
    ")",
    ",",
    ".",
    "SELECT",
    "FROM",
    "JOIN",
    "WITH",
    "AS",
    "UPDATE",
    "DELETE",
    "USING",
    "a",
    '"b"',
    "ONLY",
    "TABLE",
]


@given(st.lists(st.sampled_from(SYNTAX), max_size=20))
def test_tables_of_nonsense(words: list[str]) -> None:
    statements.tables(" ".join(words))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM a WHERE",
        "SELECT * FROM a WHERE b =",
        "SELECT a,",
        "SELECT a.",
        "SELECT 'abc",
        "SELECT * FROM \"Sess",
        "INSERT INTO a (b, c",
        "INSERT INTO a (b, c)",
        "UPDATE a",
        "SELECT a... FROM b",
        "SELECT a, … FROM b",
        "SELECT 1 /* and",
        "c = 1) FROM b",
        "...a FROM b",
    ],
)  # fmt: skip
def test_truncated(sql: str) -> None:
    assert statements.is_truncated(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT a.* FROM a FOR UPDATE",
        "INSERT INTO a DEFAULT VALUES",
        "DELETE FROM a RETURNING *",
        "SELECT '…', \"...\" FROM a -- ...",
        "SELECT a[1:2] FROM a;",
        "UPDATE a SET b = $1",
    ],
)
def test_not_truncated(sql: str) -> None:
    assert not statements.is_truncated(sql)


def test_fold_as_the_server_does(conn: psycopg.Connection) -> None:
    names = ["Users", '"Users"', '"a""b"', "ÀÉ_Ab", "é" * 40, f'"{"x" * 70}"', 'U&"d\\0061t\\+000061"', "a$1"]
    for name in names:
        column = conn.execute(f"SELECT 1 AS {name}").description[0].name  # type: ignore[index]
        assert statements.fold(name) == column


def test_parts_of_a_qualified_name() -> None:
    assert statements.parts('Auth."User""s".ID') == ("auth", 'User"s', "id")
    assert [statements.parts(name) for name in ("", "a.", ".a", "a..b", "a b", "a.'b'", '"a', "1.a")] == [()] * 8


@pytest.mark.parametrize("names", [("a",), ("Auth", 'x"; DROP TABLE users; --'), ("ü\n", "select")])
def test_quoting_is_undone_by_reading(names: tuple[str, ...]) -> None:
    assert statements.parts(statements.quote(*names)) == names


def test_a_statement_knows_itself() -> None:
    statement = statements.normalise(" update Users u set name = %s where u.id = %s ;\n")
    assert (statement.verb, statement.tables, statement.truncated) == ("UPDATE", {"u": (None, "users")}, False)
    assert statement.sql == "update Users u set name = $1 where u.id = $2"
    assert hash(statement) == hash(statements.normalise("update Users u set name = %s where u.id = %s"))
