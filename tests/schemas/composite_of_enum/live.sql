CREATE TYPE mood AS ENUM ('sad', 'happy', 'mad');
CREATE TYPE pair AS (m mood, n int);
CREATE TABLE t (p pair);
INSERT INTO t VALUES (ROW('sad', 1)), (NULL);
