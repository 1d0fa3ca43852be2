CREATE TABLE t (a text, b text);
CREATE INDEX t_a ON t (a text_pattern_ops);
CREATE INDEX t_b ON t USING gin (to_tsvector('english', b));
CREATE UNIQUE INDEX t_ab ON t (a, b);
