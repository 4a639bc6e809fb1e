import { spawn } from 'node:child_process';

/**
 * Tells systemd, if it started this process with `Type=notify`, that the job
 * server listens. If the unit has `WatchdogSec=`, it then reports twice in that
 * time that the event loop still turns; systemd kills and restarts a process
 * that hangs.
 *
 * It uses the program `systemd-notify`, because Node cannot send a datagram to a
 * Unix socket; so the unit needs `NotifyAccess=all`. Source: sd_notify(3),
 * sd_watchdog_enabled(3).
 */
export class ServiceManager {
  private watchdog: NodeJS.Timeout | undefined;

  private constructor(
    private readonly watchdogTime: number,
    private readonly complain: (problem: string) => void,
  ) {}

  /** The service manager that the environment names, if there is one. Its errors are told to `complain`. */
  static fromEnvironment(env: NodeJS.ProcessEnv, complain: (problem: string) => void): ServiceManager | undefined {
    if (!env.NOTIFY_SOCKET) return undefined;
    const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
    const microseconds = Number(env.WATCHDOG_USEC);
    return new ServiceManager(isOurs && microseconds > 0 ? microseconds / 1_000 : 0, complain);
  }

  /** Tells that the job server listens. */
  ready(): void {
    this.tell('--ready');
    if (this.watchdogTime > 0) this.watchdog = setInterval(() => this.tell('WATCHDOG=1'), this.watchdogTime / 2);
  }

  /** Tells nothing more. */
  close(): void {
    clearInterval(this.watchdog);
  }

  private tell(what: string): void {
    const child = spawn('systemd-notify', [what], { stdio: ['ignore', 'ignore', 'pipe'] });
    let reason = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (reason += text));
    child.on('error', ({ message }) => this.complain(`systemd is not told ${what}: ${message}`));
    child.on('close', (code) => {
      if (code) this.complain(`systemd is not told ${what}: ${reason.trim() || `systemd-notify ended with ${code}`}`);
    });
  }
}
