CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x', dbname 'y');
CREATE FOREIGN TABLE away (a bigint NOT NULL, c text DEFAULT 'x', CHECK (a > 0)) SERVER far OPTIONS (table_name 'there');
