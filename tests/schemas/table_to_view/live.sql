CREATE TABLE source (id int, name text);
CREATE TABLE t (id int, name text);
GRANT SELECT ON t TO reader;
