CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (a text DEFAULT ('sad'::mood)::text, b mood[] DEFAULT '{sad,happy}');
