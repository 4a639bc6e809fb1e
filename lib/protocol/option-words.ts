/*
 * The words of OPTION_REQ and OPTION_RES. gearmand knows only `exceptions`;
 * the others are extensions of our job server, which only peers that ask for
 * them when they connect ever meet. docs/SEMANTICS.md tells what each does.
 */

/** Options that a peer asks for; the job server agrees by answering with the same word. */
export const OPTION = {
  /** A client is sent WORK_EXCEPTION. */
  exceptions: 'exceptions',
  /** A client that asks for the status of an ended job is sent its kept result first. */
  results: 'results',
  /** A worker hears which attempt at a job it has, unless it is the first. */
  attempts: 'attempts',
  /** A worker asks that clients without `exceptions` are sent a proper WORK_FAIL in place of its exceptions. */
  cleanExceptions: 'clean-exceptions',
  /** A client may take its wait for a job back, and a worker hears when nobody waits any more. */
  withdrawals: 'withdrawals',
  /** Metadata travels beside workloads. */
  metadata: 'metadata',
} as const;

/** A client takes its wait for a job back. The handle follows. */
export const WITHDRAW = 'withdraw=';
/** The job server tells a worker that nobody waits for a job any more. The handle follows. */
export const WITHDRAWN = 'withdrawn=';
/** Another job server of the same storage asks to be told what becomes of a job. The handle follows. */
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
 * The data of an ECHO_REQ that is a heartbeat. The job server answers it at once, before answers that wait for the storage:
 * the peer asks whether the job server is alive, not whether its disk or database is.
 */
export const HEARTBEAT = '\0nestjs-gearman heartbeat';
