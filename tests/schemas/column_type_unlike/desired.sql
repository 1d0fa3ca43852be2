CREATE TABLE t (a int, b bytea, c timestamptz, d int[], e point);
