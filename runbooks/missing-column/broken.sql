-- A database whose invoices lack settled_at.
CREATE TABLE invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO invoices (number) SELECT 'R-' || n FROM generate_series(1, 50) AS n;
