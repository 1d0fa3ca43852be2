from __future__ import annotations

import pytest
from mendbook.symptom import placeholders, recognition, statements
from mendbook.symptom.recognition import HOLE

STATEMENTS = f"""
SELECT 1
SELECT now()
SELECT current_user
SELECT count(*)::int AS n FROM "User"
SELECT * FROM users WHERE id = $1
select id from users
select a.id, b.name from a join b on a.x = b.y
Select * From Users Where Id = @id
SELECT DISTINCT ON (a) a, b FROM t
SELECT EXISTS (SELECT 1 FROM a)
SELECT u.id, EXTRACT(EPOCH FROM u.t) FROM u
SELECT a FROM t ORDER BY b DESC NULLS LAST FOR UPDATE SKIP LOCKED
(SELECT 1) UNION (SELECT 2)
SELECT {HOLE} FROM users
SELECT id FROM {HOLE}
UPDATE socket_sessions SET is_active = FALSE, updated_at = CURRENT_TIMESTAMP WHERE socket_id = $1
update users u set name = ? where id = ?
UPDATE {HOLE}
DELETE FROM sessions WHERE expire < now()
delete from carts
insert into t values (1)
INSERT INTO t DEFAULT VALUES
INSERT INTO {HOLE} (a) VALUES ($1)
WITH x AS (SELECT 1) SELECT * FROM x
with recursive t(a, b) as (select 1, 2) select * from t
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE
VALUES (1, 2)
BEGIN
BEGIN ISOLATION LEVEL SERIALIZABLE
SET LOCAL statement_timeout = 5
LISTEN jobs
CREATE TABLE IF NOT EXISTS a (b int)
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)
ALTER TABLE a ADD COLUMN b int
TRUNCATE TABLE a, b
DO $$ BEGIN END $$
EXPLAIN ANALYZE SELECT 1
"""

PROSE = f"""
Select a file from your computer
Select a file
select an option from the list
Select {HOLE} from {HOLE}
Select (or type) a name from the menu
Selected items from cart
select-from-list
SELECT
Update your profile
Update available. Set it now
update the user set below
update {HOLE}
Delete from cart
Delete this item
DELETE ACCOUNT
Insert coin
insert into the slot
With great power comes great responsibility
with the help of
Create an account
CREATE ACCOUNT
Create table for two
Merge into main branch using rebase
Values (in USD)
Drop files here
SHOW MORE
LISTEN NOW
Set theme to dark
begin
Commit your changes
Call me maybe (later)
Grant access on request
"""


@pytest.mark.parametrize("text", STATEMENTS.strip().splitlines())
def test_statements(text: str) -> None:
    assert recognition.is_statement(placeholders.to_numbered(text)[0])


@pytest.mark.parametrize("text", PROSE.strip().splitlines())
def test_prose(text: str) -> None:
    assert not recognition.is_statement(placeholders.to_numbered(text)[0])


@pytest.mark.parametrize("text", [" WHERE id = $1", "and x = 1", "LIMIT 10", f"{HOLE} FROM users", "ORDER BY a"])
def test_continuations(text: str) -> None:
    assert recognition.is_continuation(text)


@pytest.mark.parametrize(
    "text",
    [
        "and then some",
        f"{HOLE} from the start",
        f"{HOLE} and not used. Now",
        f"{HOLE} from x import *",
        "SELECT 1",
        "x = 1",
    ],
)
def test_no_continuations(text: str) -> None:
    assert not recognition.is_continuation(text)


@pytest.mark.parametrize("text", ["SELECT a, b", "SELECT a.b", "SELECT *", "SELECT a +", "UPDATE a", "SELECT f(a"])
def test_incomplete(text: str) -> None:
    assert recognition.is_incomplete(statements.normalise(text))


@pytest.mark.parametrize(
    "text", ["SELECT 1 AS x", "SELECT now()::date AS d", "SELECT current_user", "SELECT a FROM b", "SELECT count(*)"]
)
def test_complete(text: str) -> None:
    assert not recognition.is_incomplete(statements.normalise(text))
