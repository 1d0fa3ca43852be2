CREATE TABLE new_name (id int PRIMARY KEY, a text);
CREATE TABLE ref (o int REFERENCES new_name);
CREATE VIEW v AS SELECT a FROM new_name;
