CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x');
CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE away (a int OPTIONS (column_name 'b')) SERVER far OPTIONS (table_name 'one');
