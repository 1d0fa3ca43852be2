CREATE SCHEMA two;
CREATE TYPE two.mood AS ENUM ('sad', 'happy');
CREATE TABLE two.people (id serial PRIMARY KEY, feels two.mood DEFAULT 'sad');
CREATE VIEW two.names AS SELECT id FROM two.people;
