import { prisma } from './config/database';
import { cleanupStalePresence } from './services/presence.service';

const EVERY_MS = 60_000;

async function main(): Promise<void> {
  await prisma.$connect();
  await cleanupStalePresence();
  setInterval(cleanupStalePresence, EVERY_MS);
}

void main();
