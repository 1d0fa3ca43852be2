CREATE SCHEMA one;
CREATE TYPE one.mood AS ENUM ('sad', 'happy');
CREATE TABLE one.people (id serial PRIMARY KEY, feels one.mood DEFAULT 'sad');
CREATE VIEW one.names AS SELECT id FROM one.people;
