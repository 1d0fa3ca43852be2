CREATE TYPE row_of AS (a int, b text, c date);
CREATE TABLE t OF row_of (a PRIMARY KEY, b DEFAULT 'x');
