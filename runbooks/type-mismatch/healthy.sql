-- A database whose lockers have text for codes, as the application sends it.
CREATE TABLE lockers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE VIEW free_lockers AS SELECT id, code FROM lockers;
