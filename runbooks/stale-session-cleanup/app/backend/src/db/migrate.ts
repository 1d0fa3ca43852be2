import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';

const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));

/** Run the pending migrations in the order of their numbers, each in its own transaction. */
export async function migrate(pool: Pool): Promise<string[]> {
  await pool.query('CREATE SCHEMA IF NOT EXISTS shared');
  await pool.query(`CREATE TABLE IF NOT EXISTS shared.schema_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`);
  const { rows } = await pool.query('SELECT name FROM shared.schema_migrations');
  const done = new Set(rows.map((row) => row.name));
  const pending = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql') && !done.has(name)).sort();
  for (const name of pending) {
    await run(pool, name);
  }
  return pending;
}

async function run(pool: Pool, name: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(await readFile(FOLDER + name, 'utf8'));
    await client.query('INSERT INTO shared.schema_migrations (name) VALUES ($1)', [name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { pool } = await import('./pool.js');
  console.log(await migrate(pool));
  await pool.end();
}
