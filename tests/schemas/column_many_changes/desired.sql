CREATE TABLE t (id bigint PRIMARY KEY, a text, b bigint NOT NULL DEFAULT 4, c timestamptz NOT NULL DEFAULT now());
COMMENT ON COLUMN t.a IS 'second';
GRANT SELECT (a), UPDATE (b) ON t TO reader;
CREATE INDEX t_a ON t (lower(a));
CREATE VIEW v AS SELECT a, b, c FROM t;
