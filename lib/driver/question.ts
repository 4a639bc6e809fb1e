import type { GearmanError } from '../ground/index.js';
import { PacketType, type Packet } from '../protocol/index.js';
import type { Question } from './client-session.js';
import type { JobStatus } from './job-request.js';

/** Asks for one answer and returns it as a Promise. */
export function question<Answer>(
  answerType: PacketType,
  read: (packet: Packet) => Answer,
  ask: (question: Question) => void,
): Promise<Answer> {
  return new Promise((resolve, reject: (error: GearmanError) => void) => {
    ask({ answerType, answer: (packet) => resolve(read(packet)), fail: reject });
  });
}

/** Reads STATUS_RES or STATUS_RES_UNIQUE; the second also has the number of clients at its end. */
export function readStatus(packet: Packet, server: string): JobStatus {
  const status = {
    isKnown: packet.text(1) === '1',
    isRunning: packet.text(2) === '1',
    numerator: Number(packet.text(3)) || 0,
    denominator: Number(packet.text(4)) || 0,
    server,
  };
  return packet.type === PacketType.STATUS_RES_UNIQUE ? { ...status, clients: Number(packet.text(5)) || 0 } : status;
}
