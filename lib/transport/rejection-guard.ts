import { AsyncLocalStorage } from 'node:async_hooks';

/** Gets the reason of a rejection that nobody handled. */
type RejectionReport = (reason: unknown) => void;

/**
 * Keeps the process alive when a handler's code forgets a promise and the promise
 * is rejected: Node would end the process then, and with it all other jobs that
 * run. Such a rejection is reported; any other is treated as without a guard.
 *
 * Node has one event for the whole process, so there is one guard for all
 * strategies, and it listens only while one of them has switched it on.
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

  /** Runs `code`; if a promise that it forgets is rejected, now or later, that is reported. */
  run<T>(report: RejectionReport, code: () => T): T {
    return this.running.run(report, code);
  }

  private readonly hear = (reason: unknown): void => {
    const report = this.running.getStore();
    if (report) report(reason);
    // While we listen, Node does not do what it does without listeners: make the rejection an uncaught exception. So we do.
    else if (process.listenerCount('unhandledRejection') === 1 && !isTolerated()) throw reason;
  };
}

/** Whether Node was told to let unhandled rejections pass. */
function isTolerated(): boolean {
  return /--unhandled-rejections=(?:none|warn)/.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '));
}

/** The process's guard. */
export const rejectionGuard = new RejectionGuard();
