CREATE TYPE row_of AS (a int, b text);
CREATE TABLE t OF row_of;
