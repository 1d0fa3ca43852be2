CREATE TABLE t (id int, first_name text NOT NULL);
CREATE VIEW v AS SELECT first_name FROM t;
