import { LAST_PACKET_TYPE } from '../../protocol/index.js';

/** Why a connection was closed. `quiet`: an operator ended it; `ending`: the job server ended. */
export type CloseReason = 'peer' | 'idle' | 'stalled' | 'unread' | 'error' | 'quiet' | 'ending';

/** Why a connection was not accepted. */
export type ConnectionRefusal = 'limit' | 'tls' | 'certificate';

/** How many types of packets there are, 0 included. */
const PACKET_TYPES = LAST_PACKET_TYPE + 1;

/** How many codes of errors, or kinds of actions, are counted one by one: more than there are. */
const MAX_WORDS = 64;

/** What has gone through all connections of a job server since it began: plain numbers, read by whoever wants to. */
export class Traffic {
  opened = 0;
  readonly closed: Record<CloseReason, number> = {
    peer: 0,
    idle: 0,
    stalled: 0,
    unread: 0,
    error: 0,
    quiet: 0,
    ending: 0,
  };
  readonly refused: Record<ConnectionRefusal, number> = { limit: 0, tls: 0, certificate: 0 };
  /** By the packet's number. */
  readonly packets: number[] = new Array<number>(PACKET_TYPES).fill(0);
  /** ERROR packets sent, by code. */
  readonly errors = new Map<string, number>();
  /** What the authorize hook said no to, by action. */
  readonly denied = new Map<string, number>();
  /** Of connections that are over; the open ones count their own. */
  receivedBytes = 0;
  sentBytes = 0;
}

/** Counts one more of a kind. */
export function countOne(counts: Map<string, number>, kind: string): void {
  const before = counts.get(kind);
  if (before === undefined && counts.size >= MAX_WORDS) return;
  counts.set(kind, (before ?? 0) + 1);
}
