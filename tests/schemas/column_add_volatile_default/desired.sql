CREATE TABLE t (id int);
INSERT INTO t SELECT generate_series(1, 1000);
ALTER TABLE t ADD token uuid NOT NULL DEFAULT gen_random_uuid(), ADD dice float8 DEFAULT random();
