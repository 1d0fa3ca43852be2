CREATE TABLE t (id int PRIMARY KEY, a int, b int, CHECK (a < b), UNIQUE (a));
CREATE INDEX t_ab ON t (a, b);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT id FROM v;
CREATE POLICY p ON t USING (a > 0);
