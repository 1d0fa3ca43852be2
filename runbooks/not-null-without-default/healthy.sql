-- A database whose prices fill in their currency.
CREATE TABLE prices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    amount numeric(10, 2) NOT NULL,
    currency text NOT NULL DEFAULT 'EUR'
);

