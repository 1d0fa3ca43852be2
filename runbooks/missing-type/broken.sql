-- A database without the type ticket_state.
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL DEFAULT 'open'
);

INSERT INTO tickets (state) SELECT 'open' FROM generate_series(1, 20);
