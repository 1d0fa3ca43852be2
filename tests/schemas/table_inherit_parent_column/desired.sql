CREATE TABLE base (id bigint NOT NULL, name text DEFAULT 'x', CONSTRAINT big CHECK (id > 0));
CREATE TABLE child (more text) INHERITS (base);
CREATE VIEW v AS SELECT id FROM child;
