import type { Clocks, Log } from '../../ground/index.js';

/** How far the clocks may be apart before the log says so, in milliseconds. */
const MAX_SKEW = 1_000;

/** Says in the log when this machine's clock and that of the storage's machine are apart, and when they no longer are. */
export class ClockSkew {
  private isApart = false;

  constructor(
    private readonly clocks: Clocks,
    private readonly log: Log,
  ) {}

  /** Compares with what the other clock said at some moment of the last `within` milliseconds. */
  compare(date: number, within: number): void {
    const ahead = this.clocks.date - date;
    // That moment may be at either end of the time.
    const least = ahead > within ? ahead - within : Math.min(ahead, 0);
    const isApart = Math.abs(least) > MAX_SKEW;
    if (isApart === this.isApart) return;
    this.isApart = isApart;
    const about = { skew: Math.abs(least) };
    if (isApart) this.log('warn', `storage: ${tell(least)}`, about);
    else this.log('info', "storage: this machine's clock and the database's agree again", about);
  }
}

function tell(ahead: number): string {
  const by = `${(Math.abs(ahead) / 1_000).toFixed(1)} s`;
  const [where, when] = ahead > 0 ? ['ahead of', 'early'] : ['behind', 'late'];
  return `this machine's clock is ${by} ${where} the database's: jobs that have a time start too ${when} here; have NTP set the clocks of all machines (chrony, systemd-timesyncd)`;
}
