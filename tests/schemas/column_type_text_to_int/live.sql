CREATE TABLE t (a text DEFAULT '1', b text, c text, d text, e text);
INSERT INTO t VALUES ('1', 'true', '{"a": 1}', '2026-01-01', '{1,2}');
