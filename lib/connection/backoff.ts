import { duration, number, optionOr } from '../ground/index.js';

/** How long to wait between attempts to reach a job server. */
export interface BackoffOptions {
  /** The wait before the second attempt, in milliseconds; the first attempt is made at once. Default 100. */
  initialDelay?: number;
  /** The longest wait, in milliseconds. Default 10_000. */
  maxDelay?: number;
  /** The factor by which each wait is longer than the one before. Default 2. */
  factor?: number;
  /** Which part of a wait is random, 0 to 1, so that many clients do not come back at the same moment. Default 0.5: 50 to 100% of the wait. */
  jitter?: number;
}

/** The waits between attempts: each {@link next} one is longer than the one before, until {@link reset}. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly options: Required<BackoffOptions>,
    /** A number from 0 to 1, as Math.random; tests pass their own. */
    private readonly random: () => number = Math.random,
  ) {}

  /** How long to wait before the next attempt, in milliseconds. */
  next(): number {
    const { initialDelay, maxDelay, factor, jitter } = this.options;
    const longest = Math.min(maxDelay, initialDelay * factor ** this.attempts++);
    return Math.round(longest * (1 - jitter * this.random()));
  }

  /** An attempt succeeded: the next wait is the shortest again. */
  reset(): void {
    this.attempts = 0;
  }
}

/** The options with their defaults. @throws InvalidOptionError */
export function backoffOptions(given: BackoffOptions = {}): Required<BackoffOptions> {
  const initialDelay = optionOr('reconnect.initialDelay', given.initialDelay, 100, duration(1));
  return {
    initialDelay,
    maxDelay: optionOr('reconnect.maxDelay', given.maxDelay, Math.max(10_000, initialDelay), duration(initialDelay)),
    factor: optionOr('reconnect.factor', given.factor, 2, number(1)),
    jitter: optionOr('reconnect.jitter', given.jitter, 0.5, number(0, 1)),
  };
}
