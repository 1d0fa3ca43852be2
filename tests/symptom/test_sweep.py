from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook import errors
from mendbook.symptom import sources, sweep

SCHEMA = """
CREATE SCHEMA shared;
CREATE TABLE users (id int PRIMARY KEY, name text, data jsonb, "createdAt" timestamptz);
CREATE TABLE shared.user_sessions (id int, user_id int, login_at timestamptz);
"""


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(SCHEMA)
        yield conn


# One file per language, and what is to be found in it: "line: verdict what". A statement stands on the line of its
# first word. "passes" needs no more; "fails" names the missing object; "built" is put together at run time.
TREES = {
    "app.js": (
        r"""
const db = require('pg');  // SELECT nothing FROM a comment
async function f(id, cols, list) {
  await db.query('SELECT id, name FROM users WHERE id = $1', [id]);
  await db.query("SELECT id, nope FROM users u " +
    'WHERE u.id = $1 ' + (`ORDER BY "createdAt"`));
  await db.query(`
    UPDATE shared.user_sessions
    SET is_active = FALSE
    WHERE user_id = $1`);
  await db.query(`SELECT ${cols} FROM users`);
  await db.query('SELECT id FROM users WHERE ' + list.join(' AND '));
  await db.query(`SELECT id FROM users WHERE id = $${list.length} AND name = $${list.length + 1}`);
  let q = 'SELECT id FROM users';
  if (id) q += ' WHERE id = $1';
  await sql`SELECT id FROM users WHERE id = ${id} AND name = ${list[0]}`;
  await prisma.$queryRaw`SELECT id FROM nobody WHERE id = ${id}`;
  await sql`SELECT id FROM users WHERE id IN ${sql(list)}`;
  await sql`SELECT id FROM ${cols} WHERE id = ${id}`;
  await sql`SELECT id FROM users WHERE ${list} ORDER BY id`;
  await db.query('BEGIN');
  alert("Select a file from your computer"); alert('Update your profile'); alert("don't delete from cart");
  await knex.raw('SELECT ?? FROM users WHERE id = ?', ['name', 1]);
  await db.query(util.format('SELECT %s FROM users', cols));
  await db.query('SELECT name, id \
    FROM shared.user_sessions');
  await db.query(`${list.cte} SELECT id FROM users`);
  await db.query(`/* ${id} */ SELECT id FROM users`);
}
""",
        """
        4: passes
        5: fails 42703 users.nope
        8: fails 42703 shared.user_sessions.is_active
        11: built ${cols}
        12: built list.join(' AND ')
        13: passes
        14: passes
        15: built added to a statement
        16: passes
        17: fails 42P01 nobody
        18: built ${sql(list)}
        19: built ${cols}
        20: built ${list}
        21: apart BEGIN
        23: built ??
        24: built format
        25: fails 42703 shared.user_sessions.name
        27: built ${list.cte}
        28: passes
        """,
    ),
    "app.ts": (
        r"""
export async function g(client: Client, id: number): Promise<Row[]> {
  const rows = await sql<Row[]>`SELECT id FROM users WHERE id = ${id}`;
  await client.query<Row>({ text: 'SELECT "createdat" FROM users', values: [] });
  await pool.query(sql.type(User)`SELECT id, nothing FROM users WHERE id = ${id as number}`);
  return client.query(`DELETE FROM users WHERE id = ${id}`);
}
""",
        """
        3: passes
        4: fails 42703 users.createdat
        5: fails 42703 users.nothing
        6: built ${id}
        """,
    ),
    "view.tsx": (
        r"""
export const A = () => <select title="Select one"><option>{t('Delete from list')}</option></select>;
export const b = async () => run('SELECT lost FROM users');
""",
        "3: fails 42703 users.lost",
    ),
    "app.py": (
        r'''
"""Select the users from the table below."""
SQL = """
    SELECT id
    FROM users WHERE name = %(name)s
"""
def f(cur, x, table):
    cur.execute("SELECT id, gone FROM users WHERE id = %s AND name LIKE 'a%%'", (x,))
    cur.execute("SELECT id "
                "FROM users "
                f"WHERE id = {x}")
    cur.execute("SELECT id FROM users WHERE id = %s" % x)
    cur.execute("SELECT id FROM {}".format(table))
    cur.execute(sql.SQL("SELECT id FROM {} WHERE id = %s").format(sql.Identifier(table)), [x])
    cur.execute(text("SELECT data::text, data->>'a' FROM users WHERE id = :id"), {"id": x})
    cur.execute(r"SELECT id FROM users WHERE name ~ '\d'" ' AND id IN %s', [x])
    await conn.fetch(f"SELECT id FROM users WHERE id = ${x} AND name = ${x + 1}")
    execute_values(cur, "INSERT INTO users (id, name) VALUES %s", x)
    cur.execute("INSERT INTO users (id, name, mail) VALUES (%s, %s, %s)")
''',
        """
        4: passes
        8: fails 42703 users.gone
        9: built {x}
        12: built %
        13: built format
        14: built {}
        15: passes
        16: passes
        17: passes
        18: apart 42601
        19: fails 42703 users.mail
        """,
    ),
    "app.rb": (
        r"""
User.find_by_sql(["SELECT id FROM users WHERE name = ?", name])
User.where("name = ?", name).select('id')
sql = <<~SQL.squish
  SELECT id, lost
  FROM users
  WHERE id = :id
SQL
q = "SELECT id FROM users WHERE id = #{id}"
q << " LIMIT 10"
conn.exec_params('SELECT login_at FROM shared.user_sessions WHERE user_id = $1 ' "AND id = $2", [1, 2])
raise "Select one of the items from the menu"
""",
        """
        2: passes
        5: fails 42703 users.lost
        9: built #{id}
        10: built added to a statement
        11: passes
        """,
    ),
    "app.go": (
        r"""
package app
const byID = `
	SELECT id, name
	FROM users
	WHERE id = $1`
func f(db *sql.DB) {
	db.Query("SELECT id FROM user_sessions " +
		"WHERE user_id = $1")
	db.Query(fmt.Sprintf("SELECT id FROM %s", table))
	db.Query(fmt.Sprintf("SELECT id FROM users WHERE id = $%d AND name = $%d", 1, 2))
	db.Query("SELECT id FROM users WHERE name = '" + name + "'")
	db.Raw("SELECT id FROM users WHERE name = @name", sql.Named("name", "x"))
}
""",
        """
        4: passes
        8: fails 42P01 user_sessions
        10: built Sprintf
        11: passes
        12: built name
        13: passes
        """,
    ),
    "App.java": (
        r'''
class App {
    @Query(value = "SELECT u.id, u.email FROM users u " + "WHERE u.id = ?1", nativeQuery = true)
    void f(String order) {
        jdbc.query("SELECT id FROM users WHERE data ?? 'a' AND id = ?", x);
        jdbc.query("""
            SELECT id \
            FROM users
            WHERE name = :name
            """, x);
        jdbc.query("SELECT id FROM users ORDER BY " + order, x);
        jdbc.query(String.format("SELECT %s FROM users", order), x);
        StringBuilder sb = new StringBuilder("SELECT id FROM users WHERE true");
        sb.append(" AND name = ?");
        jdbc.query("SELECT id FROM users LIMIT " + 10, x);
    }
}
''',
        """
        3: fails 42703 users.email
        5: passes
        7: passes
        11: built order
        12: built format
        13: passes
        14: built added to a statement
        15: passes
        """,
    ),
    "App.kt": (
        r'''
fun f(id: Int) {
    query("SELECT id FROM users WHERE id = $id")
    query("SELECT id FROM users WHERE id = \$1")
    query("""
        |SELECT id, ghost
        |FROM users WHERE id = ${'$'}1
        """.trimMargin())
    query("SELECT id " + "FROM users WHERE id = ?")
}
''',
        """
        3: built $id
        4: passes
        6: fails 42703 users.ghost
        9: passes
        """,
    ),
    "app.php": (
        r"""<h1>Select a user from the list</h1>
<?php
$db->prepare('SELECT id FROM users WHERE name = :name');
$db->query("SELECT id FROM users WHERE id = $id AND name = '{$name}'");
$db->query('SELECT id, ' . $column . ' FROM users');
$sql = <<<SQL
    SELECT id, phantom
    FROM users
SQL;
$sql = <<<'SQL'
    DELETE FROM users WHERE id = ?
SQL;
$sql .= ' AND name = ?';
$db->query(sprintf('SELECT id FROM users WHERE id = %d', $id));
$db->query('SELECT "createdAt" ' . "FROM users WHERE name = 'it''s'");
""",
        """
        3: passes
        4: built $id
        5: built $column
        7: fails 42703 users.phantom
        11: passes
        13: built added to a statement
        14: built sprintf
        15: passes
        """,
    ),
    "App.cs": (
        r'''
class App {
    void F(int id, string t) {
        c.Query("SELECT id FROM users WHERE id = @id", new { id });
        c.Query(@"SELECT ""createdAt"", ""deletedAt""
                  FROM users");
        c.Query($"SELECT id FROM {t}");
        db.Users.FromSqlRaw("SELECT * FROM users WHERE id = {0}", id);
        db.Users.FromSql($"SELECT * FROM users WHERE id = {id}");
        c.Query("""
            SELECT id
            FROM users
            """);
        c.Query(string.Format("SELECT id FROM users WHERE id = {0}", id));
        var s = "Update available";
    }
}
''',
        """
        4: passes
        5: fails 42703 users.deletedAt
        7: built {t}
        8: passes
        9: passes
        11: passes
        14: built Format
        """,
    ),
    "app.rs": (
        r"""
fn f() {
    sqlx::query!("SELECT id FROM users WHERE id = $1", id);
    sqlx::query_as::<_, User>(r#"SELECT "createdAt", "updatedAt" FROM users"#);
    client.query("SELECT id \
        FROM users", &[]);
    client.query(&format!("SELECT id FROM {}", table), &[]);
    let q = concat!("SELECT id, ", "name FROM users");
}
""",
        """
        3: passes
        4: fails 42703 users.updatedAt
        5: passes
        7: built format
        8: passes
        """,
    ),
    "migrations/001.sql": (
        r"""-- a migration
CREATE TABLE later (id int);
INSERT INTO later (id) VALUES (1);
\echo done; SELECT
SELECT lost FROM users;
COPY users (id) FROM stdin;
1
\.
SELECT id
FROM nowhere
WHERE id = :id;
SELECT id FROM {{ ref('users') }};
SELECT id, FROM users;
""",
        """
        2: apart CREATE TABLE
        3: apart made in the same script
        5: fails 42703 users.lost
        6: apart COPY
        9: fails 42P01 nowhere
        12: built {{ ref('users') }}
        13: fails 42601
        """,
    ),
}


def verdicts(swept: sweep.Sweep) -> list[tuple[int, str]]:
    """(line, verdict what) of everything that was found, in its order."""
    lines = [(place.line, "passes") for place in swept.passed]
    lines += [(f.place.line, f"fails {f.sqlstate} {f.missing}".strip()) for f in swept.failures]
    lines += [(apart.place.line, f"apart {apart.reason}") for apart in swept.apart]
    lines += [(built.line, f"built {built.reason}") for built in swept.unjudged]
    return sorted(lines)


@pytest.mark.parametrize("file", TREES)
def test_a_file_of_each_language(file: str, tmp_path: Path, conn: psycopg.Connection) -> None:
    source, expected = TREES[file]
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(source)
    found = verdicts(sweep.judge(conn, sweep.find(tmp_path)))
    wanted = [line.strip().split(": ", 1) for line in expected.strip().splitlines()]
    assert [(line, verdict.split()[0]) for line, verdict in found] == [(int(n), v.split()[0]) for n, v in wanted], found
    for (_, verdict), (_, want) in zip(found, wanted, strict=True):
        if want.startswith(("fails", "passes")):
            assert verdict == want
        else:
            assert want.split(" ", 1)[1] in verdict


def test_every_language_is_read() -> None:
    covered = {Path(file).suffix for file in TREES}
    assert covered == {".js", ".ts", ".tsx", ".py", ".rb", ".go", ".java", ".kt", ".php", ".cs", ".rs", ".sql"}


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_what_is_left_out(tmp_path: Path) -> None:
    query = "q('SELECT id FROM users');\n"
    write(
        tmp_path / "app",
        {
            "a.js": query,
            "deep/er/b.ts": f"\ufeff{query}",
            "node_modules/x/c.js": query,
            "vendor/d.rb": query,
            "dist/e.js": query,
            ".git/f.js": query,
            "notes.txt": query,
            "binary.py": b"\0" + query.encode(),
            "lib.min.js": f"x={'1+' * 20_000}1;{query}",
            "data.sql": "--" + "x" * sweep.LARGEST,
        },
    )
    write(tmp_path, {"outside.js": query})
    (tmp_path / "app" / "link.js").symlink_to(tmp_path / "outside.js")
    (tmp_path / "app" / "loop").symlink_to(tmp_path)
    found = sweep.find(tmp_path / "app")
    assert [str(place) for place in found.statements] == ["a.js:1", "deep/er/b.ts:1"]
    assert [place.language for place in found.statements] == ["JavaScript", "TypeScript"]
    assert found.files == 2
    assert found.skipped == (
        ("binary.py", "binary"),
        ("data.sql", "larger than 1 MiB"),
        ("lib.min.js", "minified"),
    )


def test_a_pipe_in_the_tree_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert sweep.find(tmp_path).skipped == (("pipe.py", "no ordinary file"),)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(errors.Usage, match="no directory"):
        sweep.find(tmp_path / "missing")


def test_generated_code(tmp_path: Path) -> None:
    write(tmp_path, {"long.js": "q('SELECT id FROM users WHERE true'\n" + " + ' AND id = 1'\n" * 3_000 + ")"})
    (place,) = sweep.find(tmp_path).statements
    assert place.sql.count("AND") == 3_000


SPLINTERS = st.sampled_from([source[i : i + 40] for source, _ in TREES.values() for i in range(0, len(source), 17)])


@given(st.sampled_from(sorted(TREES)), st.lists(SPLINTERS | st.text(max_size=5), max_size=8).map("".join))
def test_no_source_makes_it_fail(file: str, source: str) -> None:
    lines = source.count("\n") + 1
    for each in sources.read(file, Path(file).suffix, source.encode()):
        assert 1 <= each.line <= lines


def test_places_of_one_statement_are_all_named(tmp_path: Path, conn: psycopg.Connection) -> None:
    write(tmp_path, {f"{name}.py": "x = 1\nf('SELECT gone FROM users')" for name in "cab"})
    swept = sweep.judge(conn, sweep.find(tmp_path))
    assert [str(failure.place) for failure in swept.failures] == ["a.py:2", "b.py:2", "c.py:2"]


def test_missing_objects_come_first(tmp_path: Path, conn: psycopg.Connection) -> None:
    write(tmp_path, {"a.py": "f('SELECT id,, name FROM users')\nf('SELECT 1/0 FROM nowhere')"})
    swept = sweep.judge(conn, sweep.find(tmp_path))
    assert [failure.sqlstate for failure in swept.failures] == ["42P01", "42601"]


def test_what_parse_cannot_judge_is_apart(tmp_path: Path, conn: psycopg.Connection) -> None:
    write(
        tmp_path,
        {
            "a.py": """
f('SELECT $1 IS NULL')
f('SELECT id FROM users WHERE id = :x OR name = :x')
f('SELECT id FROM users WHERE id = lost(:y) OR name = :y')
f('SELECT id FROM %s WHERE id = %s')
f('SELECT id FROM users FOR UPDATE; SELECT nope FROM users')
"""
        },
    )
    swept = sweep.judge(conn, sweep.find(tmp_path))
    assert [(a.place.line, a.reason[-6:-1]) for a in swept.apart] == [(2, "42P18"), (3, "42883"), (5, "42601")]
    assert [(place.line, place.sql) for place in swept.passed] == [(6, "SELECT id FROM users FOR UPDATE")]
    assert [str(failure.missing) for failure in swept.failures] == ["lost", "users.nope"]


def test_a_sweep_shows_itself(tmp_path: Path, conn: psycopg.Connection) -> None:
    write(tmp_path, {"<b>.py": "f('SELECT gone FROM users')\nf('SELECT id FROM users')\nf(f'SELECT {x} FROM users')"})
    swept = sweep.judge(conn, sweep.find(tmp_path))
    assert "1 statement fails, 1 passes" in str(swept)
    assert "<b>.py:1" in str(swept)
    assert "users.gone" in str(swept)
    assert "&lt;b&gt;.py:1" in swept._repr_html_()
