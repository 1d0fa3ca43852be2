CREATE TABLE t (a int, b text, c int[], d int4range, e tsvector, f timestamptz);
