-- A database whose prices have a currency that nobody fills in.
CREATE TABLE prices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    amount numeric(10, 2) NOT NULL,
    currency text NOT NULL
);

INSERT INTO prices (amount, currency) SELECT n, 'EUR' FROM generate_series(1, 20) AS n;
