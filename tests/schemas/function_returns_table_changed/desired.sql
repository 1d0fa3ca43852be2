CREATE TABLE t (a int, b text, c int);
CREATE FUNCTION f() RETURNS TABLE (a int, c int) LANGUAGE sql AS 'SELECT a, c FROM t';
