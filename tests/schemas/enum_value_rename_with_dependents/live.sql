CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (id int PRIMARY KEY, feels mood DEFAULT 'sad' NOT NULL);
CREATE INDEX t_feels ON t (feels);
CREATE VIEW glad AS SELECT id FROM t WHERE feels = 'happy';
