CREATE TABLE t (id int);
CREATE TYPE mood AS ENUM ('sad', 'it''s fine', 'happy');
COMMENT ON TYPE mood IS 'how one feels';
ALTER TABLE t ADD feels mood NOT NULL DEFAULT 'sad';
