CREATE TABLE a (id int, code text NOT NULL, CONSTRAINT a_key PRIMARY KEY (id), CONSTRAINT a_code UNIQUE (code));
CREATE TABLE b (a int REFERENCES a, code text REFERENCES a (code));
