CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (feels mood DEFAULT 'sad');
