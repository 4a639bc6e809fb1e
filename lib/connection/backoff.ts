/** How long to wait between attempts to reach a job server. */
export interface BackoffOptions {
  /** Before the second attempt, in milliseconds; the first is made at once. Default 100. */
  initialDelay?: number;
  /** The longest wait, in milliseconds. Default 10_000. */
  maxDelay?: number;
  /** By how much each wait is longer than the one before. Default 2. */
  factor?: number;
  /** Which part of a wait is random, 0 to 1, so that a fleet does not return in one instant. Default 0.5: 50 to 100% of the wait. */
  jitter?: number;
}
