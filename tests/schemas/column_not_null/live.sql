CREATE TABLE t (a int, b text NOT NULL);
INSERT INTO t VALUES (1, 'x');
