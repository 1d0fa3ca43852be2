CREATE TYPE mood AS ENUM ('a', 'b');
GRANT USAGE ON TYPE mood TO reader;
COMMENT ON TYPE mood IS 'x';
CREATE TABLE t (m mood);
