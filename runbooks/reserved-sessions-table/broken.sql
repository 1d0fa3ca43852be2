-- A database of a platform that keeps its own auth.sessions; the application's part is behind its code.
CREATE SCHEMA auth;

CREATE TABLE auth.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text UNIQUE,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE auth.sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    not_after timestamptz,
    user_agent text,
    ip inet
);

CREATE TABLE rooms (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    seats integer NOT NULL DEFAULT 6,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE room_seats (
    room_id uuid NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    seat_index integer NOT NULL,
    user_id uuid,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room_id, seat_index)
);

INSERT INTO auth.users (email) SELECT 'player' || n || '@example.com' FROM generate_series(1, 20) AS n;
INSERT INTO auth.sessions (user_id, not_after) SELECT id, now() + interval '1 hour' FROM auth.users;
INSERT INTO rooms (name) SELECT 'table ' || n FROM generate_series(1, 10) AS n;
INSERT INTO room_seats (room_id, seat_index) SELECT id, n FROM rooms, generate_series(0, 5) AS n;
