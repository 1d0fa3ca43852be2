CREATE TYPE mood AS ENUM ('lost', 'sad', 'so so', 'happy', 'mad');
CREATE TABLE t (feels mood DEFAULT 'sad', past mood[] DEFAULT ARRAY['happy'::mood]);
