CREATE TABLE t (a int DEFAULT floor(random() * 10)::int);
