CREATE TABLE t (a bigint);
CREATE TABLE holder (r t);
