-- A database whose socket_sessions is complete.
CREATE TABLE users (
    id serial PRIMARY KEY,
    username varchar(255) UNIQUE NOT NULL
);

CREATE TABLE socket_sessions (
    id serial PRIMARY KEY,
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    socket_id varchar(255) UNIQUE NOT NULL,
    connected_at timestamp DEFAULT CURRENT_TIMESTAMP,
    last_activity timestamp DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
    ip_address inet,
    user_agent text,
    is_active boolean DEFAULT TRUE,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX socket_sessions_user_id_idx ON socket_sessions (user_id);

INSERT INTO users (username) SELECT 'user ' || n FROM generate_series(1, 20) AS n;
INSERT INTO socket_sessions (user_id, socket_id, user_agent)
SELECT n % 20 + 1, 'socket ' || n, 'browser' FROM generate_series(1, 200) AS n;
