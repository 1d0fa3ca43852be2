CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION make() RETURNS pair LANGUAGE sql AS 'SELECT 1, 2';
