CREATE TYPE pair AS (a int, b bigint);
CREATE FUNCTION make() RETURNS pair LANGUAGE sql AS 'SELECT 1, 2::bigint';
