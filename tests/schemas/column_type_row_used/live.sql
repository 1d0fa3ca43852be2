CREATE TABLE t (a int);
CREATE TABLE holder (r t);
