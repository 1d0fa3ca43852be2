CREATE TYPE size AS ENUM ('s', 'm', 'l');
CREATE TABLE shirts (id int PRIMARY KEY, s size NOT NULL DEFAULT 'm');
CREATE FUNCTION bigger(a size, b size DEFAULT 'm') RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a > b';
ALTER TABLE shirts ADD CHECK (bigger(s, 's'));
