CREATE TABLE base (id int);
CREATE TABLE child (more text) INHERITS (base);
CREATE VIEW v AS SELECT id FROM child;
