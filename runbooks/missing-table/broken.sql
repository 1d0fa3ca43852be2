-- A database without the table parcels.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO orders (placed_at) SELECT now() FROM generate_series(1, 20);
