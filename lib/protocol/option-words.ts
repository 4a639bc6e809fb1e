/*
 * The words of OPTION_REQ and OPTION_RES. gearmand knows `exceptions` alone;
 * the others are extensions of our job server, which only peers that ask at
 * their greeting ever meet. docs/SEMANTICS.md tells what each does.
 */

/** Options that a peer asks for, and the job server agrees to by the same word. */
export const OPTION = {
  /** A client is sent WORK_EXCEPTION. */
  exceptions: 'exceptions',
  /** A client that asks for the status of an ended job is sent its kept result first. */
  results: 'results',
  /** A worker hears which attempt at a job it has, unless it is the first. */
  attempts: 'attempts',
  /** A worker asks whether clients without `exceptions` hear a proper WORK_FAIL of one. */
  cleanExceptions: 'clean-exceptions',
  /** A client may take its wait for a job back, and a worker hears when nobody waits any more. */
  withdrawals: 'withdrawals',
  /** Metadata travels beside workloads. */
  metadata: 'metadata',
} as const;

/** A client takes its wait for a job back: a handle stands behind it. */
export const WITHDRAW = 'withdraw=';
/** The job server tells a worker that nobody waits any more: a handle stands behind it. */
export const WITHDRAWN = 'withdrawn=';
/** Another job server of the same storage hears on what becomes of a job: a handle stands behind it. */
export const FOLLOW = 'follow=';

const ATTEMPTS = `${OPTION.attempts}=`;

/** The option that goes ahead of the assignment of an attempt after the first. */
export function attemptOption(attempt: number): string {
  return `${ATTEMPTS}${attempt}`;
}

/** The attempt that an option announces; undefined where it announces none. */
export function attemptOf(option: string): number | undefined {
  if (!option.startsWith(ATTEMPTS)) return undefined;
  const attempt = option.slice(ATTEMPTS.length);
  return /^\d+$/.test(attempt) ? Number(attempt) : undefined;
}

/**
 * What an ECHO_REQ carries that is a heartbeat. It is answered at once, ahead of answers that wait for the storage: its peer
 * asks whether the job server is there, not whether its disk or database is.
 */
export const HEARTBEAT = '\0nestjs-gearman heartbeat';
