CREATE DOMAIN one AS varchar(20);
CREATE DOMAIN two AS one CHECK (VALUE <> '');
CREATE TABLE t (a two, b one);
