import { pool } from '../../db/pool.js';
import { autoExpireStaleSessions } from './sessionService.js';

const EVERY_MS = 15 * 60_000;
const KEEP_DAYS = 90;

/** Run the cleanup now and every quarter of an hour. */
export function startSessionCleanup(): NodeJS.Timeout {
  void cleanUpSessions();
  return setInterval(cleanUpSessions, EVERY_MS).unref();
}

/** Expire the sessions whose time is over, and delete those that ended long ago. */
export async function cleanUpSessions(): Promise<void> {
  console.log('[sessionCleanupService] Starting session cleanup job');
  try {
    const deleted = await deleteEndedSessions(KEEP_DAYS);
    const expired = await autoExpireStaleSessions();
    console.log('[sessionCleanupService] Session cleanup done', { expired, deleted });
  } catch (error) {
    const { code, routine } = error as { code?: string; routine?: string };
    console.error('[sessionCleanupService] Error during session cleanup', { err: { code, routine } });
  }
}

async function deleteEndedSessions(days: number): Promise<number> {
  const { rowCount } = await pool.query(`DELETE FROM shared.user_sessions
    WHERE is_active = FALSE AND updated_at < NOW() - make_interval(days => $1)`, [days]);
  return rowCount ?? 0;
}
