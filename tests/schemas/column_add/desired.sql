CREATE TABLE t (id int);
INSERT INTO t VALUES (1), (2);
ALTER TABLE t ADD name text, ADD made timestamptz NOT NULL DEFAULT now(), ADD "order" int DEFAULT 0;
COMMENT ON COLUMN t."order" IS 'a word';
