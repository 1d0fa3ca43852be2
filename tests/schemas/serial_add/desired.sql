CREATE TABLE t (a text);
INSERT INTO t SELECT 'x' FROM generate_series(1, 100);
ALTER TABLE t ADD id bigserial PRIMARY KEY;
