CREATE TYPE code AS ENUM ('a', 'b');
CREATE TABLE t (c code);
