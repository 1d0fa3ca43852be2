CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (feels mood DEFAULT 'sad', past mood[] DEFAULT ARRAY['happy'::mood]);
