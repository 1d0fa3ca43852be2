CREATE TABLE t (a uuid, b jsonb);
CREATE INDEX t_a ON t (a);
CREATE INDEX t_b ON t USING gin (b);
CREATE UNIQUE INDEX t_ab ON t (a, b);
