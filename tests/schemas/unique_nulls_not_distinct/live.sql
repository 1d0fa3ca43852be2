-- since 15
CREATE TABLE t (a int, b int);
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);
