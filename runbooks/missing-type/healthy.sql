-- A database with the type ticket_state.
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL DEFAULT 'open'
);

CREATE TYPE ticket_state AS ENUM ('open', 'closed');
