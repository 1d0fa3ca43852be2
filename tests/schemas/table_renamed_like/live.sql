CREATE TABLE old_name (id int PRIMARY KEY, a text);
CREATE TABLE ref (o int REFERENCES old_name);
CREATE VIEW v AS SELECT a FROM old_name;
