import { pool } from '../../db/pool.js';

export interface Session {
  id: string;
  userId: string;
  tenantId: string | null;
  ipAddress: string | null;
  userAgent: string | null;
  isActive: boolean;
  loginAt: Date;
  expiresAt: Date;
  logoutAt: Date | null;
}

export interface NewSession {
  userId: string;
  tenantId?: string;
  ipAddress?: string;
  userAgent?: string;
  expiresAt: Date;
}

interface Row {
  id: string;
  user_id: string;
  tenant_id: string | null;
  ip_address: string | null;
  user_agent: string | null;
  is_active: boolean;
  login_at: Date;
  expires_at: Date;
  logout_at: Date | null;
}

function mapRowToSession(row: Row): Session {
  return {
    id: row.id,
    userId: row.user_id,
    tenantId: row.tenant_id,
    ipAddress: row.ip_address,
    userAgent: row.user_agent,
    isActive: row.is_active,
    loginAt: row.login_at,
    expiresAt: row.expires_at,
    logoutAt: row.logout_at,
  };
}

/** Mark the sessions whose time is over as inactive; returns how many there were. */
export async function autoExpireStaleSessions(): Promise<number> {
  const { rowCount } = await pool.query(`UPDATE shared.user_sessions
    SET is_active = FALSE, updated_at = NOW()
    WHERE is_active = TRUE AND expires_at < NOW()`);
  return rowCount ?? 0;
}

/** Every active session of the platform, a page at a time. */
export async function getPlatformActiveSessions(limit: number, offset: number): Promise<Session[]> {
  const { rows } = await pool.query<Row>(`SELECT s.*, u.email
    FROM shared.user_sessions s JOIN shared.users u ON u.id = s.user_id
    WHERE s.is_active = TRUE AND s.expires_at > NOW()
    ORDER BY s.login_at DESC
    LIMIT $1 OFFSET $2`, [limit, offset]);
  return rows.map(mapRowToSession);
}

/** The active sessions of one user, newest first. */
export async function getActiveSessions(userId: string): Promise<Session[]> {
  const { rows } = await pool.query<Row>(`SELECT *
    FROM shared.user_sessions
    WHERE user_id = $1 AND is_active = TRUE AND expires_at > NOW()
    ORDER BY login_at DESC`, [userId]);
  return rows.map(mapRowToSession);
}

/** Record a login. */
export async function createSession(session: NewSession): Promise<Session> {
  const { userId, tenantId, ipAddress, userAgent, expiresAt } = session;
  const { rows } = await pool.query<Row>(`INSERT INTO shared.user_sessions
      (user_id, tenant_id, ip_address, user_agent, expires_at, is_active)
    VALUES ($1, $2, $3, $4, $5, TRUE)
    RETURNING *`, [userId, tenantId ?? null, ipAddress ?? null, userAgent ?? null, expiresAt]);
  return mapRowToSession(rows[0]!);
}

/** Record a logout; returns whether there was such a session. */
export async function endSession(sessionId: string): Promise<boolean> {
  const { rowCount } = await pool.query(`UPDATE shared.user_sessions
    SET updated_at = NOW(), logout_at = NOW(), is_active = FALSE
    WHERE id = $1`, [sessionId]);
  return rowCount === 1;
}

/** End every session of a user, as after a stolen password; returns how many there were. */
export async function revokeAllUserSessions(userId: string): Promise<number> {
  const { rowCount } = await pool.query(`UPDATE shared.user_sessions
    SET is_active = FALSE, logout_at = NOW(), updated_at = NOW()
    WHERE user_id = $1 AND is_active = TRUE`, [userId]);
  return rowCount ?? 0;
}

/** The logins of one user, newest first. */
export async function getLoginHistory(userId: string, limit = 50): Promise<Session[]> {
  const { rows } = await pool.query<Row>(`SELECT id, user_id, tenant_id, ip_address, user_agent, is_active, login_at,
      expires_at, logout_at
    FROM shared.user_sessions
    WHERE user_id = $1
    ORDER BY login_at DESC
    LIMIT $2`, [userId, limit]);
  return rows.map(mapRowToSession);
}
