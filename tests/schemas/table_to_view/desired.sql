CREATE TABLE source (id int, name text);
CREATE VIEW t AS SELECT id, name FROM source;
GRANT SELECT ON t TO reader;
