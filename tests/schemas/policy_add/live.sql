CREATE TABLE t (a int, owner name);
