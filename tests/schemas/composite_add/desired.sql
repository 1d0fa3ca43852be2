CREATE TYPE address AS (street text COLLATE "C", zip varchar(10));
COMMENT ON TYPE address IS 'where';
CREATE FUNCTION zip(a address) RETURNS text LANGUAGE sql AS 'SELECT a.zip';
CREATE TABLE homes (at address, more address[]);
