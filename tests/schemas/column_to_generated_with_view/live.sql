CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT b FROM t;
CREATE INDEX t_b ON t (b);
COMMENT ON COLUMN t.b IS 'twice';
GRANT SELECT (b) ON t TO reader;
