CREATE TABLE base (id int PRIMARY KEY, made timestamptz DEFAULT now(), CHECK (id > 0));
CREATE TABLE child (more text NOT NULL) INHERITS (base);
CREATE INDEX ON child (more);
