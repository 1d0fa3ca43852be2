CREATE TABLE t (id int);
INSERT INTO t SELECT generate_series(1, 1000);
