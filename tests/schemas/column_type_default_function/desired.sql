CREATE TABLE t (a text DEFAULT md5(random()::text));
