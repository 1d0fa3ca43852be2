-- Sessions can be ended, revoked and listed for each tenant.
ALTER TABLE shared.user_sessions ADD COLUMN is_active boolean NOT NULL DEFAULT TRUE;
ALTER TABLE shared.user_sessions ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE shared.user_sessions ADD COLUMN tenant_id uuid REFERENCES shared.tenants (id);
