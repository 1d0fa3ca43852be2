CREATE SEQUENCE z START 5;
CREATE TABLE t (id bigint DEFAULT nextval('z'), code text DEFAULT 'c' || nextval('z'));
GRANT USAGE ON SEQUENCE z TO reader;
