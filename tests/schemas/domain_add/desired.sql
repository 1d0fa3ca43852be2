CREATE DOMAIN email AS varchar(320) COLLATE "C" DEFAULT '' NOT NULL CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
COMMENT ON DOMAIN email IS 'an address';
CREATE TABLE people (mail email);
