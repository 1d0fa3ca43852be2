CREATE TABLE t (a bigint, b text, c numeric(10,2), d timestamptz, e bigint[] DEFAULT '{1}', f bigint DEFAULT 7);
INSERT INTO t VALUES (1, 'x', 1.5, '2026-01-01', '{2}', 3);
