-- The lists of active sessions, and the search for those that have expired.
CREATE INDEX user_sessions_active_idx ON shared.user_sessions (user_id, login_at) WHERE is_active;
CREATE INDEX user_sessions_expiry_idx ON shared.user_sessions (expires_at) WHERE is_active;
