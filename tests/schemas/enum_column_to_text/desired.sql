CREATE TABLE t (id int, feels text DEFAULT 'sad');
CREATE VIEW v AS SELECT feels FROM t;
