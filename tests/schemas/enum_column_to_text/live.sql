CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (id int, feels mood DEFAULT 'sad');
CREATE VIEW v AS SELECT feels FROM t;
