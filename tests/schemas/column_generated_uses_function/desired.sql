CREATE FUNCTION twice(i int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT i * 2::bigint';
CREATE TABLE t (a int, c bigint GENERATED ALWAYS AS (twice(a)) STORED);
