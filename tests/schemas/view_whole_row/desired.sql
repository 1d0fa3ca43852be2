CREATE TABLE t (id bigint, a int, b int);
CREATE VIEW v AS SELECT t FROM t;
CREATE VIEW w AS SELECT to_jsonb(t.*) AS j FROM t;
