import type { Message } from '@prisma/client';
import { prisma } from '../config/database';

/** The newest messages of a conversation. */
export async function listMessages(conversationId: string, take = 50): Promise<Message[]> {
  return prisma.message.findMany({ where: { conversationId }, orderBy: { createdAt: 'desc' }, take });
}

/** Send a message; its text must not be empty. */
export async function sendMessage(conversationId: string, senderId: string, body: string): Promise<Message> {
  return prisma.message.create({ data: { conversationId, senderId, body } });
}
