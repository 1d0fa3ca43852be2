CREATE TABLE t (a int, b int);
GRANT SELECT (a, b) ON t TO reader;
