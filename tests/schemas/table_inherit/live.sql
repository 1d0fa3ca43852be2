CREATE TABLE base (id int, made timestamptz DEFAULT now(), CHECK (id > 0));
CREATE TABLE child (id int, made timestamptz DEFAULT now(), more text, CONSTRAINT base_id_check CHECK (id > 0));
