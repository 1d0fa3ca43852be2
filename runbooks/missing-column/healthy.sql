-- A database whose invoices are complete.
CREATE TABLE invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
);
