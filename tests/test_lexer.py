from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook import lexer


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a_1$ é", "word a_1$, word é"),
        ('"a""b" U&"d\\0061"', 'quoted "a""b", quoted U&"d\\0061"'),
        ("'it''s' B'01' x'1F' N'a'", "string 'it''s', string B'01', string x'1F', string N'a'"),
        (r"'\' E'\'' e'a''b'", r"string '\', string E'\'', string e'a''b'"),
        ("'a' -- c\n 'b' 'c'", "string 'a' -- c\n 'b', string 'c'"),
        ("$$a$$ $x$ $$ $x$ $1$2", "string $$a$$, string $x$ $$ $x$, parameter $1, parameter $2"),
        ("a$b$ $é$'$é$", "word a$b$, string $é$'$é$"),
        ("1 1.5 .5 1.+1e-3", "number 1, number 1.5, number .5, number 1., operator +, number 1e-3"),
        ("0xFF 1_000 1..2", "number 0xFF, number 1_000, number 1, punctuation .., number 2"),
        ("/* a /* b */ c */ -- d\n1", "comment /* a /* b */ c */, comment -- d, number 1"),
        ("a::b[1:]", "word a, punctuation ::, word b, punctuation [, number 1, punctuation :, punctuation ]"),
        ("1*-2", "number 1, operator *, operator -, number 2"),
        ("a @- b ->> c ?| d", "word a, operator @-, word b, operator ->>, word c, operator ?|, word d"),
        ("a<>--b", "word a, operator <>, comment --b"),
        ("a*/*b*/c", "word a, operator *, comment /*b*/, word c"),
        ("{a\\", "other {, word a, other \\"),
    ],
)
def test_tokens(sql: str, expected: str) -> None:
    found = [f"{token.kind} {token.text}" for token in lexer.tokens(sql) if token.kind != "space"]
    assert ", ".join(found) == expected


@pytest.mark.parametrize(
    "sql", ["'a", "'a''", "E'a\\'", "E'\\", '"a', 'U&"', "$$ a $", "$x$ $$ $y$", "/* /* */", "'a'\n'b", "B'0"]
)
def test_a_token_that_the_text_ends_in_is_flagged(sql: str) -> None:
    (token,) = lexer.tokens(sql)
    assert not token.closed


def test_closed_tokens_are_not_flagged() -> None:
    assert all(token.closed for token in lexer.tokens("'a' \"b\" $$c$$ /* d */ -- e"))


FRAGMENTS = [
    "'",
    '"',
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "\n",
    "\\",
    "E'",
    "U&'",
    ";",
    "(",
    ")",
    "$1",
    "::",
    "1.",
    "+",
    "@",
    "é",
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))


@given(TEXTS)
def test_tokens_lose_nothing(sql: str) -> None:
    tokens = list(lexer.tokens(sql))
    assert "".join(token.text for token in tokens) == sql
    assert all(sql[token.start : token.end] == token.text for token in tokens)
    assert all(token.closed or token.end == len(sql) for token in tokens)


@given(TEXTS)
def test_pieces_stand_where_they_say(sql: str) -> None:
    for piece in lexer.split(sql):
        assert sql.startswith(piece.text, piece.start)
        assert piece.line == sql.count("\n", 0, piece.start) + 1


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "SELECT",
            "a",
            "';'",
            '";"',
            "$$;$$",
            "$x$\n;$x$",
            "(a; b)",
            "/* ; */ x",
            "-- ;\nx",
            "$1",
            "1.5",
            ",",
            "*",
            "E'\\';'",
        ]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)


@given(
    st.lists(STATEMENTS.map(lambda sql: f"SELECT {sql}"), max_size=6),
    st.sampled_from([";", ";\n", " ;; -- ;\n", ";/*;*/"]),
)
def test_splitting_a_joined_list_gives_the_list(statements: list[str], separator: str) -> None:
    assert [piece.text for piece in lexer.split(separator.join(statements))] == statements


def test_statements_come_with_line_and_verb() -> None:
    pieces = lexer.split("-- first\nSELECT 1;\n\nINSERT INTO a\nVALUES (1) -- tail\n;UPDATE a SET b = 1")
    assert [(piece.text, piece.line, piece.verb) for piece in pieces] == [
        ("SELECT 1", 2, "SELECT"),
        ("INSERT INTO a\nVALUES (1)", 4, "INSERT"),
        ("UPDATE a SET b = 1", 6, "UPDATE"),
    ]


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("alter table a add b int", "ALTER TABLE"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)", "CREATE INDEX"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS ''", "CREATE FUNCTION"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW"),
        ("CREATE USER ana", "CREATE USER"),
        ("DROP TEXT SEARCH PARSER p", "DROP TEXT SEARCH"),
        ("(SELECT 1) UNION SELECT 2", "SELECT"),
        ("WITH a AS (SELECT 1) UPDATE b SET c = 1", "UPDATE"),
        ("WITH RECURSIVE delete AS (SELECT 1), update (x) AS (SELECT 2) INSERT INTO b TABLE delete", "INSERT"),
        ("WITH", "WITH"),
        ("1", ""),
    ],
)
def test_verb(sql: str, verb: str) -> None:
    assert [piece.verb for piece in lexer.split(sql)] == [verb]


def test_semicolons_inside_bodies_and_rules_do_not_split() -> None:
    body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    rule = "CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b; DELETE FROM c)"
    block = "DO $$ BEGIN PERFORM 1; END $$"
    assert [piece.text for piece in lexer.split(f"{body};{rule};{block};BEGIN;END;")] == [
        body,
        rule,
        block,
        "BEGIN",
        "END",
    ]


def test_meta_commands_are_their_own_kind() -> None:
    pieces = lexer.split("\\restrict x;y\r\nSELECT 1 \\gset\nSELECT 2\\; SELECT 3;\n\\connect b")
    assert [(piece.kind, piece.text, piece.line) for piece in pieces] == [
        ("meta", "\\restrict x;y", 1),
        ("sql", "SELECT 1", 2),
        ("meta", "\\gset", 2),
        ("sql", "SELECT 2", 3),
        ("sql", "SELECT 3", 3),
        ("meta", "\\connect b", 4),
    ]


def test_copy_data_is_not_sql() -> None:
    pieces = lexer.split(
        "COPY a (b) FROM stdin;\n1\tit's; $$\n\\N\n\\.\n\nCOPY a TO STDOUT;\nCOPY c FROM STDIN;\n\\.\nSELECT 1;"
    )
    assert [(piece.kind, piece.text, piece.line) for piece in pieces] == [
        ("sql", "COPY a (b) FROM stdin", 1),
        ("data", "1\tit's; $$\n\\N\n", 2),
        ("sql", "COPY a TO STDOUT", 6),
        ("sql", "COPY c FROM STDIN", 7),
        ("sql", "SELECT 1", 9),
    ]


def test_the_mark_before_a_text_belongs_to_no_statement() -> None:
    [piece] = lexer.split("\ufeff-- a\nSELECT 1;")
    assert (piece.text, piece.line, piece.start) == ("SELECT 1", 2, 6)
