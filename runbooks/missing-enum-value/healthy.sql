-- A database whose payment_state is complete.
CREATE TYPE payment_state AS ENUM ('due', 'paid', 'refunded');

CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state payment_state NOT NULL DEFAULT 'due'
);

