import { prisma } from '../config/database';

const STALE_AFTER_MS = 5 * 60_000;

/** Note that a user is there. */
export async function markOnline(id: string): Promise<void> {
  await prisma.user.update({ where: { id }, data: { isOnline: true, lastSeen: new Date() } });
}

/** Take the users who have not been heard of for five minutes for offline. */
export async function cleanupStalePresence(): Promise<void> {
  const threshold = new Date(Date.now() - STALE_AFTER_MS);
  try {
    const stale = await prisma.user.findMany({ where: { isOnline: true, lastSeen: { lt: threshold } } });
    if (stale.length === 0) {
      return;
    }
    const ids = stale.map((user) => user.id);
    await prisma.user.updateMany({ where: { id: { in: ids } }, data: { isOnline: false } });
    console.log(`Took ${ids.length} users for offline`);
  } catch (error) {
    console.error('Error cleaning up stale presence:', error);
  }
}
