CREATE DOMAIN code AS text CHECK (VALUE IN ('a', 'b'));
CREATE TABLE t (c code);
