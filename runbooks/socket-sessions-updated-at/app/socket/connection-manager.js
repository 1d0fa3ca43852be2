'use strict';

/**
 * Keeps track of who is connected.
 *
 * One user may have several sockets (browser tabs, a phone). Each socket has a row in
 * socket_sessions while it lives, and stays there, marked as inactive, after it is gone.
 * A user is online while at least one of their sockets is.
 */

const { EventEmitter } = require('node:events');

const HEARTBEAT_MS = 25_000;
const IDLE_AFTER_MS = 5 * 60_000;
const CLEANUP_EVERY_MS = 60_000;
const MAX_SOCKETS_PER_USER = 10;

const PRESENCE = Object.freeze({ ONLINE: 'online', IDLE: 'idle', OFFLINE: 'offline' });

class ConnectionManager extends EventEmitter {
  /**
   * @param {import('pg').Pool} pool
   * @param {import('socket.io').Server} io
   */
  constructor(pool, io) {
    super();
    this.pool = pool;
    this.io = io;
    this.sockets = new Map(); // socket id -> { socket, userId, lastSeen }
    this.users = new Map(); // user id -> Set of socket ids
    this.timers = [];
  }

  /** Start listening for sockets. */
  start() {
    this.io.on('connection', (socket) => this.handleConnection(socket));
    this.timers.push(
      setInterval(() => this.sendHeartbeats(), HEARTBEAT_MS),
      setInterval(() => this.dropStaleSockets(), CLEANUP_EVERY_MS),
    );
    for (const timer of this.timers) {
      timer.unref();
    }
  }

  /** Stop, and close every socket. */
  async stop() {
    for (const timer of this.timers) {
      clearInterval(timer);
    }
    this.timers = [];
    await Promise.all([...this.sockets.keys()].map((socketId) => this.disconnect(socketId)));
  }

  // ---- connecting

  async handleConnection(socket) {
    const userId = socket.data.userId;
    if (!userId) {
      socket.disconnect(true);
      return;
    }
    if (this.countSockets(userId) >= MAX_SOCKETS_PER_USER) {
      socket.emit('too-many-connections', { limit: MAX_SOCKETS_PER_USER });
      socket.disconnect(true);
      return;
    }
    this.remember(socket, userId);
    await this.addSocketSession(socket, userId);
    this.announce(userId, PRESENCE.ONLINE);
    this.listen(socket, userId);
  }

  listen(socket, userId) {
    socket.on('heartbeat', () => this.touch(socket.id));
    socket.on('presence', (state) => this.setPresence(socket.id, state));
    socket.on('disconnect', (reason) => this.handleDisconnection(socket, userId, reason));
    socket.on('error', (error) => {
      console.error(`Socket ${socket.id} failed:`, error);
      this.disconnect(socket.id);
    });
  }

  remember(socket, userId) {
    this.sockets.set(socket.id, { socket, userId, lastSeen: Date.now() });
    if (!this.users.has(userId)) {
      this.users.set(userId, new Set());
    }
    this.users.get(userId).add(socket.id);
  }

  forget(socketId) {
    const entry = this.sockets.get(socketId);
    if (!entry) {
      return null;
    }
    this.sockets.delete(socketId);
    const mine = this.users.get(entry.userId);
    mine.delete(socketId);
    if (mine.size === 0) {
      this.users.delete(entry.userId);
    }
    return entry;
  }

  // ---- asking

  isOnline(userId) {
    return this.users.has(userId);
  }

  countSockets(userId) {
    return this.users.get(userId)?.size ?? 0;
  }

  socketsOf(userId) {
    return [...(this.users.get(userId) ?? [])].map((socketId) => this.sockets.get(socketId).socket);
  }

  /** The state of a user: online if any of their sockets was heard of lately. */
  presenceOf(userId, now = Date.now()) {
    const mine = this.users.get(userId);
    if (!mine) {
      return PRESENCE.OFFLINE;
    }
    const heard = [...mine].some((socketId) => now - this.sockets.get(socketId).lastSeen < IDLE_AFTER_MS);
    return heard ? PRESENCE.ONLINE : PRESENCE.IDLE;
  }

  statistics() {
    return {
      sockets: this.sockets.size,
      users: this.users.size,
      idle: [...this.users.keys()].filter((userId) => this.presenceOf(userId) === PRESENCE.IDLE).length,
    };
  }

  // ---- sending

  /** Send an event to every socket of a user; returns how many there were. */
  sendToUser(userId, event, payload) {
    const sockets = this.socketsOf(userId);
    for (const socket of sockets) {
      socket.emit(event, payload);
    }
    return sockets.length;
  }

  /** Send an event to several users; returns those who are not connected. */
  sendToUsers(userIds, event, payload) {
    return userIds.filter((userId) => this.sendToUser(userId, event, payload) === 0);
  }

  /** Notify a user now, or keep the notification until they come back. */
  async notify(userId, notification) {
    if (this.sendToUser(userId, 'notification', notification) === 0) {
      this.emit('undelivered', { userId, notification });
    }
  }

  announce(userId, state) {
    this.io.emit('presence', { userId, state, at: new Date().toISOString() });
    this.emit('presence', userId, state);
  }

  sendHeartbeats() {
    for (const { socket } of this.sockets.values()) {
      socket.emit('heartbeat');
    }
  }

  // ---- staying

  touch(socketId) {
    const entry = this.sockets.get(socketId);
    if (!entry) {
      return;
    }
    const before = this.presenceOf(entry.userId);
    entry.lastSeen = Date.now();
    if (before !== PRESENCE.ONLINE) {
      this.announce(entry.userId, PRESENCE.ONLINE);
    }
    this.saveActivity(socketId);
  }

  setPresence(socketId, state) {
    const entry = this.sockets.get(socketId);
    if (!entry || !Object.values(PRESENCE).includes(state)) {
      return;
    }
    if (state === PRESENCE.IDLE) {
      entry.lastSeen = Date.now() - IDLE_AFTER_MS;
    } else {
      entry.lastSeen = Date.now();
    }
    this.announce(entry.userId, this.presenceOf(entry.userId));
  }

  // ---- leaving

  async handleDisconnection(socket, userId, reason) {
    const entry = this.forget(socket.id);
    if (!entry) {
      return;
    }
    await this.removeSocketSession(socket.id);
    if (!this.isOnline(userId)) {
      this.announce(userId, PRESENCE.OFFLINE);
    }
    this.emit('left', { userId, socketId: socket.id, reason });
  }

  /** Close one socket from this side. */
  async disconnect(socketId) {
    const entry = this.sockets.get(socketId);
    if (!entry) {
      return;
    }
    entry.socket.disconnect(true);
    await this.handleDisconnection(entry.socket, entry.userId, 'server');
  }

  /** Close every socket of a user, as after a logout everywhere. */
  async disconnectUser(userId) {
    const mine = [...(this.users.get(userId) ?? [])];
    await Promise.all(mine.map((socketId) => this.disconnect(socketId)));
    return mine.length;
  }

  /** Close the sockets that have not been heard of for a long time. */
  async dropStaleSockets(now = Date.now()) {
    const stale = [...this.sockets].filter(([, entry]) => now - entry.lastSeen > 2 * IDLE_AFTER_MS);
    for (const [socketId] of stale) {
      await this.disconnect(socketId);
    }
    if (stale.length > 0) {
      console.log(`Closed ${stale.length} stale sockets`);
    }
  }

  // ---- the table

  async addSocketSession(socket, userId) {
    const { address, headers } = socket.handshake;
    try {
      await this.pool.query(`INSERT INTO socket_sessions (user_id, socket_id, ip_address, user_agent)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (socket_id) DO NOTHING`, [userId, socket.id, address, headers['user-agent']]);
    } catch (error) {
      console.error('Error adding socket session:', error);
    }
  }

  async saveActivity(socketId) {
    try {
      await this.pool.query(`UPDATE socket_sessions
        SET last_activity = CURRENT_TIMESTAMP
        WHERE socket_id = $1 AND is_active`, [socketId]);
    } catch (error) {
      console.error('Error saving socket activity:', error);
    }
  }

  /** The sockets that the table holds as active, newest first. */
  async listSocketSessions(userId) {
    const { rows } = await this.pool.query(`SELECT socket_id, connected_at, last_activity, ip_address, user_agent
      FROM socket_sessions
      WHERE user_id = $1 AND is_active
      ORDER BY connected_at DESC`, [userId]);
    return rows;
  }

  /** How many sockets the table holds as active, for the health page. */
  async countSocketSessions() {
    const { rows } = await this.pool.query('SELECT count(*)::int AS active FROM socket_sessions WHERE is_active');
    return rows[0].active;
  }

  /** Mark the socket's row as inactive; it stays as history. */
  async removeSocketSession(socketId) {
    try {
      await this.pool.query(`UPDATE socket_sessions
        SET is_active = FALSE, updated_at = CURRENT_TIMESTAMP
        WHERE socket_id = $1`, [socketId]);
    } catch (error) {
      console.error('Error removing socket session:', error);
    }
  }
}

module.exports = { ConnectionManager, PRESENCE };
