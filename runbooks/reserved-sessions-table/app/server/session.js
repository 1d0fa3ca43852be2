import connectPgSimple from 'connect-pg-simple';
import session from 'express-session';
import { pool } from './db.js';

const SEVEN_DAYS_MS = 7 * 24 * 60 * 60_000;
const PgStore = connectPgSimple(session);

/** Sessions of the web site, kept in PostgreSQL so that they survive a flush of Redis. */
export const sessionMiddleware = session({
  store: new PgStore({ pool, tableName: 'sessions' }),
  secret: process.env.SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { maxAge: SEVEN_DAYS_MS, httpOnly: true, sameSite: 'lax' },
});
