-- A database whose ledger knows all that ran.
CREATE TABLE schema_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE parcels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    weight numeric(8, 3)
);

CREATE INDEX parcels_weight_idx ON parcels (weight);

INSERT INTO schema_migrations (name) VALUES ('001_create_parcels.sql'), ('002_weigh_parcels.sql');
INSERT INTO parcels (number) SELECT 'P-' || n FROM generate_series(1, 20) AS n;
