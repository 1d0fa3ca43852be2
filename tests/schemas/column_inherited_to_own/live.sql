CREATE TABLE base (id int);
CREATE TABLE child () INHERITS (base);
