CREATE TABLE t (id int, a int);
CREATE VIEW v AS SELECT t FROM t;
CREATE VIEW w AS SELECT to_jsonb(t.*) AS j FROM t;
