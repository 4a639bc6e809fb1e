import type { Alarm } from '../../ground/index.js';
import type { Session } from './session.js';

/** How often half packets and idle connections are looked for at least, in milliseconds. */
const MAX_INTERVAL = 5_000;

/** How long a packet may take to come to its end, and a connection without business be silent, in milliseconds; 0: for ever. */
export interface StallLimits {
  readonly packetTimeout: number;
  readonly idleTimeout: number;
}

/** Closes connections whose packet does not come to its end, and silent ones that have no business here. */
export class StallWatch {
  /** How often it looks: as often as the shortest limit needs; Infinity: never. */
  private readonly interval: number;
  private nextLook = Infinity;

  constructor(
    private readonly sessions: ReadonlySet<Session>,
    private readonly limits: StallLimits,
    private readonly time: Alarm,
  ) {
    const timeouts = [limits.packetTimeout, limits.idleTimeout].filter((timeout) => timeout > 0);
    this.interval = timeouts.length === 0 ? Infinity : Math.min(MAX_INTERVAL, ...timeouts);
  }

  /** A connection has come. */
  came(): void {
    if (this.nextLook !== Infinity || this.interval === Infinity) return;
    this.nextLook = this.time.now + this.interval;
    this.time.at(this.nextLook);
  }

  /** Looks, if it is time; answers when it looks next, Infinity where no connection is left. */
  tick(now: number): number {
    if (now < this.nextLook) return this.nextLook;
    this.nextLook = this.sessions.size > 0 ? now + this.interval : Infinity;
    for (const session of this.sessions) session.closeIfStalled(now, this.limits);
    return this.nextLook;
  }
}
