CREATE TABLE t (id int, a text);
CREATE VIEW v (x, y) AS SELECT id, a FROM t;
CREATE VIEW w WITH (security_barrier = true) AS SELECT x FROM v WITH LOCAL CHECK OPTION;
CREATE VIEW z AS SELECT 1 AS one, 'x'::text AS two;
COMMENT ON VIEW v IS 'looks';
COMMENT ON COLUMN v.x IS 'the id';
GRANT SELECT ON v TO reader;
