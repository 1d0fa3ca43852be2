CREATE TABLE t (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, price numeric(10,2) DEFAULT 0 CHECK (price >= 0),
    made timestamptz DEFAULT now(), tags text[] DEFAULT '{}', data jsonb
);
CREATE INDEX t_made ON t (made DESC NULLS LAST);
CREATE INDEX ON t USING gin (data);
COMMENT ON TABLE t IS 'things';
COMMENT ON COLUMN t.name IS 'what it''s called';
COMMENT ON CONSTRAINT t_name_key ON t IS 'one of a kind';
COMMENT ON INDEX t_made IS 'newest first';
GRANT SELECT, INSERT ON t TO "Häfen writer";
