CREATE TABLE t (a int, b varchar(10), c numeric(6,2), d timestamp, e int[] DEFAULT '{1}', f int DEFAULT 7);
INSERT INTO t VALUES (1, 'x', 1.5, '2026-01-01', '{2}', 3);
