CREATE TABLE a (id int NOT NULL, code text NOT NULL, CONSTRAINT a_key UNIQUE (id), CONSTRAINT a_code PRIMARY KEY (code));
CREATE TABLE b (a int REFERENCES a (id), code text REFERENCES a (code));
