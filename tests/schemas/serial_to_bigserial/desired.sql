CREATE TABLE t (id bigserial PRIMARY KEY, a text);
CREATE TABLE u (t_id bigint REFERENCES t);
CREATE VIEW v AS SELECT id FROM t;
