-- A database whose payment_state lacks refunded.
CREATE TYPE payment_state AS ENUM ('due', 'paid');

CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state payment_state NOT NULL DEFAULT 'due'
);

INSERT INTO payments (state) SELECT 'paid' FROM generate_series(1, 20);
