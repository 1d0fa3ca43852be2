CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE kinds (k kind PRIMARY KEY);
CREATE TABLE things (k kind REFERENCES kinds);
