CREATE TABLE shared.user_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES shared.users (id) ON DELETE CASCADE,
    ip_address inet,
    user_agent text,
    login_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    logout_at timestamptz
);

CREATE INDEX user_sessions_user_id_idx ON shared.user_sessions (user_id);
