import { AsyncLocalStorage } from 'node:async_hooks';

/** Told what a promise was rejected with that nobody handled. */
type RejectionReport = (reason: unknown) => void;

/**
 * Keeps the process alive when code of a handler forgets a promise and that
 * is rejected: Node ends the process then, and with it the other jobs that
 * run. Such a rejection is reported; any other is treated as without a guard.
 *
 * There is one process, so there is one guard, which hears rejections only
 * while somebody holds it.
 */
class RejectionGuard {
  private readonly running = new AsyncLocalStorage<RejectionReport>();
  private holders = 0;

  /** Switches the guard on, until the returned function is called. */
  switchOn(): () => void {
    if (this.holders++ === 0) process.on('unhandledRejection', this.hear);
    let isHeld = true;
    return () => {
      if (isHeld && --this.holders === 0) process.off('unhandledRejection', this.hear);
      isHeld = false;
    };
  }

  /** Runs `code`; a promise that it forgets, now or later, is reported. */
  run<T>(report: RejectionReport, code: () => T): T {
    return this.running.run(report, code);
  }

  private readonly hear = (reason: unknown): void => {
    const report = this.running.getStore();
    if (report) report(reason);
    // By listening we take the place of what Node does where nobody does: the rejection is an uncaught exception.
    else if (process.listenerCount('unhandledRejection') === 1 && !isTolerated()) throw reason;
  };
}

/** Whether Node was told to let unhandled rejections pass. */
function isTolerated(): boolean {
  return /--unhandled-rejections=(?:none|warn)/.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '));
}

/** The process's guard. */
export const rejectionGuard = new RejectionGuard();
