CREATE SEQUENCE s;
CREATE TABLE t (id bigint DEFAULT nextval('s'), code text DEFAULT 'c' || nextval('s'));
GRANT USAGE ON SEQUENCE s TO reader;
