CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x', dbname 'y');
CREATE FOREIGN TABLE away (a int, b text) SERVER far OPTIONS (table_name 'there');
