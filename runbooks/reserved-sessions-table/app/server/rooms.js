import { pool } from './db.js';

/** Create a room with its seats. */
export async function createRoom(name, seats) {
  const { rows } = await pool.query('INSERT INTO rooms (name, seats) VALUES ($1, $2) RETURNING id', [name, seats]);
  return rows[0].id;
}

/** Note which game is played in a room, so that a player who comes back finds it. */
export async function setCurrentGame(roomId, gameId) {
  try {
    await pool.query('UPDATE rooms SET current_game_id = $1 WHERE id = $2', [gameId, roomId]);
  } catch (error) {
    console.error(error.message);
  }
}

/** The game that is played in a room, if any. */
export async function getCurrentGame(roomId) {
  const { rows } = await pool.query('SELECT current_game_id FROM rooms WHERE id = $1', [roomId]);
  return rows[0]?.current_game_id ?? null;
}
