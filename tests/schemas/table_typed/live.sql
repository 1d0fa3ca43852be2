CREATE TYPE row_of AS (a int, b text);
CREATE TABLE t (a int, b text);
