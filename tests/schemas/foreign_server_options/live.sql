CREATE EXTENSION postgres_fdw;
CREATE SERVER far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x', port '1');
