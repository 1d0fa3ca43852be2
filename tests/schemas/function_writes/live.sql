CREATE TABLE log (a int);
