CREATE TABLE p (id int NOT NULL, v text) PARTITION BY RANGE (id);
CREATE INDEX p_v ON p (v);
CREATE TABLE p1 (id int NOT NULL, v text);
INSERT INTO p1 VALUES (5, 'x');
