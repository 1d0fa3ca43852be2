CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (feels mood DEFAULT 'happy', CHECK (feels <> 'happy' OR feels IS NULL));
CREATE VIEW glad AS SELECT * FROM t WHERE feels = 'happy';
