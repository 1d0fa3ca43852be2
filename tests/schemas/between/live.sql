CREATE TABLE t (a int, b text, CONSTRAINT one CHECK (a BETWEEN 1 AND 5 AND b <> ''), CONSTRAINT two CHECK (a > 0));
CREATE VIEW v AS SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND b = 'x' AND lower(b) = 'x';
