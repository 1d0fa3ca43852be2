CREATE TABLE t (id int, fname text NOT NULL);
CREATE VIEW v AS SELECT fname FROM t;
