CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x');
CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE away (a int OPTIONS (column_name 'c'), d text OPTIONS (column_name 'e')) SERVER far OPTIONS (table_name 'two', schema_name 's');
