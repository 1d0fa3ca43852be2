CREATE TYPE address AS (street text);
CREATE TABLE homes (id int, at address);
