-- A database whose migrations stopped after 003, because the backend runs with SKIP_MIGRATIONS=true.
CREATE SCHEMA shared;

CREATE TABLE shared.schema_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shared.tenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shared.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid REFERENCES shared.tenants (id),
    email text NOT NULL UNIQUE,
    role text NOT NULL DEFAULT 'member',
    created_at timestamptz NOT NULL DEFAULT now()
);

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

INSERT INTO shared.schema_migrations (name) VALUES
    ('001_create_tenants.sql'),
    ('002_create_users.sql'),
    ('003_create_user_sessions.sql');

INSERT INTO shared.tenants (name) SELECT 'tenant ' || n FROM generate_series(1, 3) AS n;
INSERT INTO shared.users (tenant_id, email)
SELECT t.id, 'user' || n || '@' || replace(t.name, ' ', '') || '.example'
FROM shared.tenants AS t, generate_series(1, 10) AS n;
INSERT INTO shared.user_sessions (user_id, ip_address, user_agent, login_at, expires_at)
SELECT u.id, '192.0.2.1', 'browser', now() - n * interval '1 day', now() - (n - 7) * interval '1 day'
FROM shared.users AS u, generate_series(1, 10) AS n;
