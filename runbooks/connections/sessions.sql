-- The application holds all four connections, and forgot to end a transaction in one of them.

-- session: web 1
SELECT subject FROM tickets WHERE id = 1;

-- session: web 2
SELECT subject FROM tickets WHERE id = 2;

-- session: web 3
SELECT subject FROM tickets WHERE id = 3;

-- session: worker
BEGIN;
SELECT count(*) FROM tickets;
