CREATE TABLE t (a int, b text);
CREATE UNIQUE INDEX i ON t (a, b) WHERE a > 0;
CREATE INDEX j ON t (b DESC);
COMMENT ON INDEX i IS 'new';
