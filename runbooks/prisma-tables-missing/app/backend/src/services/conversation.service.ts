import type { Conversation } from '@prisma/client';
import { prisma } from '../config/database';

/** The conversations of a user, the liveliest first. */
export async function listConversations(userId: string, take = 20): Promise<Conversation[]> {
  const mine = { participants: { some: { id: userId } } };
  return prisma.conversation.findMany({ where: mine, orderBy: { lastMessageAt: 'desc' }, take });
}
