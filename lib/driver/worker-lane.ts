import type { GearmanError } from '../ground/index.js';
import type { Endpoint } from '../connection/index.js';
import type { ByteString } from '../protocol/index.js';
import type { ClosedError } from './errors.js';
import type { RunningJob, ServedFunction } from './running-job.js';
import { WorkerSession, type WorkerSessionOwner, type WorkerSessionSettings } from './worker-session.js';

/** What a {@link WorkerLane} tells its worker. */
export interface WorkerLaneOwner {
  ready(session: WorkerSession): void;
  lost(session: WorkerSession, reason: GearmanError): void;
  retrying(session: WorkerSession, reason: Error, delay: number): void;
  report(session: WorkerSession, error: Error): void;
}

/**
 * Functions that share a number of slots, and one connection to each job server
 * for them. A grab names no function, so functions with a `concurrency` of their
 * own have a lane of their own.
 *
 * A slot is free, or used by an open grab, or by a job whose handler runs. A
 * handler that goes on after its job was lost or timed out uses its slot until
 * it ends, because the bound is on what this process does.
 */
export class WorkerLane implements WorkerSessionOwner {
  readonly functions = new Map<ByteString, ServedFunction>();
  readonly sessions: readonly WorkerSession[];
  /** How many handlers run. */
  running = 0;
  private takenSlots = 0;
  /** The session that grabbed last: they take turns. */
  private turn = 0;
  private whenIdle: (() => void) | undefined;

  constructor(
    endpoints: readonly Endpoint[],
    settings: WorkerSessionSettings,
    private readonly slots: number,
    private readonly owner: WorkerLaneOwner,
  ) {
    this.sessions = endpoints.map((endpoint) => new WorkerSession(endpoint, settings, this));
  }

  /** Serves a function; at once if the lane is connected. */
  add(served: ServedFunction): void {
    this.functions.set(served.bytes, served);
    for (const session of this.sessions) session.announce(served);
  }

  open(): void {
    for (const { link } of this.sessions) link.open();
  }

  /** Asks for jobs although no job server woke us. */
  look(): void {
    for (const session of this.sessions) session.look();
  }

  /** Takes no more jobs; resolves when all are done and every connection has ended. */
  async leave(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.leave()));
    if (this.running > 0) await new Promise<void>((resolve) => (this.whenIdle = resolve));
  }

  /** Aborts what still runs; other workers get those jobs. */
  async abandon(reason: ClosedError): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.abandon(reason)));
  }

  /** Gives free slots to the sessions in turn, one grab each, as long as a session wants one. */
  fill(): void {
    const { sessions } = this;
    for (let refusals = 0; this.takenSlots < this.slots && refusals < sessions.length;) {
      this.turn = (this.turn + 1) % sessions.length;
      if (sessions[this.turn]!.grab()) {
        this.takenSlots++;
        refusals = 0;
      } else {
        refusals++;
      }
    }
  }

  grabsReturned(count: number): void {
    this.takenSlots -= count;
    this.fill();
  }

  slotTaken(): void {
    this.takenSlots++;
  }

  start(job: RunningJob): void {
    this.running++;
    void this.run(job);
    this.fill();
  }

  ready(session: WorkerSession): void {
    this.owner.ready(session);
  }

  lost(session: WorkerSession, reason: GearmanError): void {
    this.owner.lost(session, reason);
  }

  retrying(session: WorkerSession, reason: Error, delay: number): void {
    this.owner.retrying(session, reason, delay);
  }

  report(session: WorkerSession, error: Error): void {
    this.owner.report(session, error);
  }

  private async run(job: RunningJob): Promise<void> {
    const { options, stats } = job.served;
    const { timeout } = options;
    const startedAt = performance.now();
    stats.running++;
    const timer = timeout === undefined ? undefined : setTimeout(() => job.expire(timeout), timeout);
    await job.run();
    clearTimeout(timer);
    stats.running--;
    stats.took.add(performance.now() - startedAt);
    this.running--;
    this.takenSlots--;
    if (this.running === 0) this.whenIdle?.();
    this.fill();
  }
}
