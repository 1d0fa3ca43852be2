import pg from 'pg';

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

// A database that pauses when nobody uses it ends its connections; the next query opens new ones.
pool.on('error', (error) => console.warn('Database connection lost:', error.message));
