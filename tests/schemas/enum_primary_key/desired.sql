CREATE TYPE kind AS ENUM ('c', 'a');
CREATE TABLE kinds (k kind PRIMARY KEY);
CREATE TABLE things (k kind REFERENCES kinds);
