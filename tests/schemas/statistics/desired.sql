CREATE TABLE t (a int, b int, c text);
CREATE STATISTICS one (ndistinct, mcv) ON a, b FROM t;
CREATE STATISTICS two ON a, c FROM t;
ALTER STATISTICS two SET STATISTICS 200;
CREATE STATISTICS three ON (lower(c)) FROM t;
COMMENT ON STATISTICS three IS 'of an expression';
