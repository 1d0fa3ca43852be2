CREATE FUNCTION even(i int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT i % 2 = 0';
CREATE DOMAIN even_number AS int CHECK (even(VALUE));
CREATE TABLE t (a int, b even_number);
