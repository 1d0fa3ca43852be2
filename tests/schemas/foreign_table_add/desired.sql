CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x', dbname 'y');
CREATE FOREIGN TABLE away (a int NOT NULL, b text) SERVER far OPTIONS (table_name 'there');
COMMENT ON FOREIGN TABLE away IS 'far away';
CREATE VIEW near AS SELECT a FROM away;
