CREATE TABLE t (a int NOT NULL, b text);
INSERT INTO t VALUES (1, 'x');
