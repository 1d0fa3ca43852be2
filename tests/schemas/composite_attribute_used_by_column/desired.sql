CREATE TYPE address AS (street text, zip text);
CREATE TABLE homes (id int, at address);
