CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN feeling AS mood DEFAULT 'sad' CHECK (VALUE <> 'happy');
CREATE TABLE t (f feeling);
