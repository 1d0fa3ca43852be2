import jwt from 'jsonwebtoken';
import { pool } from '../db.js';

const TTL_S = 7 * 24 * 60 * 60;
const GRACE_MINUTES = 5;

/**
 * Sessions and seats of players. Redis is what the game reads; PostgreSQL is the copy
 * that survives a flush of Redis. Writing the copy may fail without stopping the game.
 */
export class SessionService {
  constructor(redis) {
    this.redis = redis;
  }

  async saveSession(sessionId, data) {
    await this.redis.set(`sess:${sessionId}`, JSON.stringify(data), { EX: TTL_S });
    const expire = Math.ceil(Date.now() / 1000) + TTL_S;
    try {
      await pool.query(`INSERT INTO sessions (sess, expire, sid)
        SELECT $1, to_timestamp($2), $3
        ON CONFLICT (sid) DO UPDATE SET sess = $1, expire = to_timestamp($2)`, [data, expire, sessionId]);
    } catch (error) {
      console.error('Failed to persist session to DB:', error.message);
    }
  }

  async restoreSession(sessionId) {
    const cached = await this.redis.get(`sess:${sessionId}`);
    if (cached) {
      return JSON.parse(cached);
    }
    const { rows } = await pool.query(`SELECT sess
      FROM sessions
      WHERE sid = $1 AND expire >= NOW()`, [sessionId]);
    return rows[0]?.sess ?? null;
  }

  /** Give a seat to a player; returns the token with which they claim it again. */
  async bindUserToSeat(roomId, seatIndex, userId) {
    const token = jwt.sign({ roomId, seatIndex, userId }, process.env.SEAT_SECRET);
    const binding = JSON.stringify({ userId, status: 'playing' });
    await this.redis.set(`seat:${roomId}:${seatIndex}`, binding);
    await this.redis.set(`userSeat:${userId}`, JSON.stringify({ roomId, seatIndex }));
    try {
      await pool.query(`INSERT INTO room_seats (room_id, seat_index, user_id, seat_token, last_heartbeat_at)
        VALUES ($1, $2, $3, $4, NOW())
        ON CONFLICT (room_id, seat_index) DO UPDATE
        SET user_id = $3, seat_token = $4, last_heartbeat_at = NOW(), away_since = NULL`, [
        roomId, seatIndex, userId, token,
      ]);
    } catch (error) {
      console.error('Failed to persist seat binding to DB:', error.message);
    }
    return token;
  }

  async heartbeat(roomId, userId) {
    await pool.query(`UPDATE room_seats
      SET last_heartbeat_at = NOW(), away_since = NULL
      WHERE room_id = $1 AND user_id = $2`, [roomId, userId]);
  }

  /** The player's connection is gone: their seat is kept for the grace period. */
  async markAway(roomId, userId) {
    await pool.query(`UPDATE room_seats
      SET away_since = NOW()
      WHERE room_id = $1 AND user_id = $2 AND away_since IS NULL`, [roomId, userId]);
  }

  /** Free the seats whose players did not come back in time; returns them. */
  async releaseAbandonedSeats() {
    const { rows } = await pool.query(`UPDATE room_seats
      SET user_id = NULL, seat_token = NULL, away_since = NULL
      WHERE away_since < NOW() - make_interval(mins => $1)
      RETURNING room_id, seat_index`, [GRACE_MINUTES]);
    return rows;
  }
}
