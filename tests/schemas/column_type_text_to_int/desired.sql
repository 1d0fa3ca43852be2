CREATE TABLE t (a int DEFAULT 1, b boolean, c jsonb, d date, e int[]);
INSERT INTO t VALUES ('1', 'true', '{"a": 1}', '2026-01-01', '{1,2}');
