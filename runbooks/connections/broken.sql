-- A database that takes four connections.
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL
);

INSERT INTO tickets (subject) SELECT 'ticket ' || n FROM generate_series(1, 20) AS n;

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 4', current_database());
END
$$;
