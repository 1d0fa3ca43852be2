CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE t (a text DEFAULT ('sad'::mood)::text, b mood[] DEFAULT '{happy}');
