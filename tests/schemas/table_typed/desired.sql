CREATE TYPE row_of AS (a int, b text);
CREATE TABLE t OF row_of;
CREATE TABLE u OF row_of (PRIMARY KEY (a), b WITH OPTIONS DEFAULT 'x');
