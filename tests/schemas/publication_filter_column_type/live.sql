-- since 15
CREATE TABLE t (id int PRIMARY KEY, n int);
CREATE PUBLICATION p FOR TABLE t (id, n) WHERE (id > 0);
