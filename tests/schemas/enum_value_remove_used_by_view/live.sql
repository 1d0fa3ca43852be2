CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE TABLE t (feels mood DEFAULT 'happy', past mood[]);
CREATE INDEX ON t (feels) WHERE feels > 'sad';
ALTER TABLE t ADD CONSTRAINT not_sad CHECK (feels <> 'sad');
CREATE VIEW v AS SELECT feels, count(*) FROM t GROUP BY feels;
GRANT SELECT ON v TO reader;
