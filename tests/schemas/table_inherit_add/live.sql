CREATE TABLE base (id int PRIMARY KEY, made timestamptz DEFAULT now(), CHECK (id > 0));
