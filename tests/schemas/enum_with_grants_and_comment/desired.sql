CREATE TYPE mood AS ENUM ('b', 'a');
GRANT USAGE ON TYPE mood TO "Häfen writer";
COMMENT ON TYPE mood IS 'y';
CREATE TABLE t (m mood);
