import Session from '../models/Session.mjs';

const PEOPLE = [
  { association: 'client', attributes: ['id', 'firstName', 'lastName'] },
  { association: 'trainer', attributes: ['id', 'firstName', 'lastName'] },
];

function fail(res, error, message) {
  console.error(`${error}\n`, error);
  res.status(500).json({ message });
}

/** GET /api/schedule?userId=6&includeUpcoming=true */
export async function getSchedule(req, res) {
  const where = { userId: Number(req.query.userId) };
  if (req.query.includeUpcoming === 'true') {
    Object.assign(where, Session.upcoming());
  }
  try {
    const sessions = await Session.findAll({ where, include: PEOPLE, order: [['sessionDate', 'ASC']] });
    res.json(sessions);
  } catch (error) {
    fail(res, error, 'The schedule could not be loaded');
  }
}

/** GET /api/dashboard: one session, and how many are booked. */
export async function getDashboard(req, res) {
  try {
    const [session] = await Session.findAll({ limit: 1 });
    const booked = await Session.count({ where: { status: 'booked' } });
    res.json({ session, booked });
  } catch (error) {
    fail(res, error, 'The dashboard could not be loaded');
  }
}

/** POST /api/mcp/analyze: one session, for the assistant. */
export async function analyzeSession(req, res) {
  try {
    const session = await Session.findOne({ where: { id: Number(req.body.sessionId) } });
    res.json({ session, bookable: session?.isBookable() ?? false });
  } catch (error) {
    fail(res, error, 'The session could not be analysed');
  }
}

/** DELETE /api/schedule/:id */
export async function removeSession(req, res) {
  try {
    const removed = await Session.destroy({ where: { id: Number(req.params.id) } });
    res.status(removed ? 204 : 404).end();
  } catch (error) {
    fail(res, error, 'The session could not be removed');
  }
}
