-- A database whose lockers have numbers for codes, and the application sends text.
CREATE TABLE lockers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code integer NOT NULL UNIQUE);
CREATE VIEW free_lockers AS SELECT id, code FROM lockers;
INSERT INTO lockers (code) SELECT n FROM generate_series(1, 20) AS n;
