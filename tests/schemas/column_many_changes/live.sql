CREATE TABLE t (id int PRIMARY KEY, a varchar(5) NOT NULL DEFAULT 'x', b int, c timestamp);
COMMENT ON COLUMN t.a IS 'first';
GRANT SELECT (a) ON t TO reader;
CREATE INDEX t_a ON t (a);
CREATE VIEW v AS SELECT a, b FROM t;
