import type { GearmanFunction } from '../../job-server/engine/index.js';
import type { JobServer } from '../../job-server/job-server.js';
import type { AuditEvent, JobEvent, WorkerEvent } from '../../job-server/job-server-events.js';
import { FunctionBoard } from './function-board.js';
import { nameFields } from '../function-name.js';
import { EngineRows } from './function-rows.js';
import { serverState, type ServerState } from './server-state.js';

/** How often everything is looked at, in milliseconds. */
export const LOOK_INTERVAL = 1_000;

/** For how long what was seen is remembered once nobody looks on, in milliseconds. */
const MEMORY = 60_000;

/** What is told of a job. */
const JOB_EVENTS = ['submitted', 'assigned', 'completed', 'failed', 'cancelled', 'requeued'] as const;
const WORKER_EVENTS = ['workerJoined', 'workerLeft'] as const;

/** Who looks on. */
export interface Viewer {
  /** Everything was looked at again. */
  looked(): void;
  /** Only where it wants jobs. */
  job?(happened: (typeof JOB_EVENTS)[number], job: JobEvent, worker?: WorkerEvent): void;
  worker?(happened: (typeof WORKER_EVENTS)[number], worker: WorkerEvent): void;
  audit?(event: AuditEvent): void;
}

/**
 * What changes at a job server, for those who look on: while there is one,
 * everything is looked at once a second, a slice at a time. Costs nothing while
 * nobody does.
 */
export class Live {
  private current: { readonly rows: EngineRows; readonly board: FunctionBoard<GearmanFunction> } | undefined;
  private readonly viewers = new Set<Viewer>();
  private timer: NodeJS.Timeout | undefined;
  private forgetting: NodeJS.Timeout | undefined;
  private isLooking = false;
  /** The job server itself, as last seen. */
  state: ServerState | undefined;

  private readonly ears: Ears;

  constructor(private readonly jobServer: JobServer) {
    this.ears = new Ears(jobServer, this.viewers);
  }

  /** How many look on. */
  get viewerCount(): number {
    return this.viewers.size;
  }

  /** The functions, as they were seen last. */
  get board(): FunctionBoard<GearmanFunction> {
    return this.seeing().board;
  }

  /** What times of rows count from. */
  get epoch(): Date {
    return this.seeing().rows.epoch;
  }

  /** Looks on until what it returns is called. It is told of a first look soon. */
  join(viewer: Viewer): () => void {
    clearTimeout(this.forgetting);
    this.viewers.add(viewer);
    this.attend();
    this.timer ??= setInterval(() => void this.look(), LOOK_INTERVAL).unref();
    void this.look();
    return () => {
      this.viewers.delete(viewer);
      this.attend();
      if (this.viewers.size === 0) this.rest();
    };
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.forgetting = setTimeout(() => (this.current = this.state = undefined), MEMORY).unref();
  }

  private seeing(): NonNullable<Live['current']> {
    return (this.current ??= {
      rows: new EngineRows(this.jobServer.engine),
      board: new FunctionBoard(({ name }) => nameFields(name)),
    });
  }

  /** Looks at everything, and tells those who look on; who joins meanwhile is told as well. */
  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    const { rows, board } = this.seeing();
    const slices = board.look(rows.seen());
    this.jobServer.tick();
    while (!slices.next().done) {
      await new Promise(setImmediate);
      this.jobServer.tick();
    }
    this.state = serverState(this.jobServer, this.viewers.size);
    this.isLooking = false;
    for (const viewer of this.viewers) viewer.looked();
  }

  /** Hears of jobs, workers and audits only where somebody wants to: each costs something at every job. */
  private attend(): void {
    const viewers = [...this.viewers];
    this.ears.attend(
      'job',
      viewers.some((viewer) => viewer.job),
    );
    this.ears.attend(
      'worker',
      viewers.some((viewer) => viewer.worker),
    );
    this.ears.attend(
      'audit',
      viewers.some((viewer) => viewer.audit),
    );
  }
}

/** Hears what happens at a job server, each kind once, for however many who look on. */
class Ears {
  private readonly stops = new Map<string, () => void>();

  constructor(
    private readonly jobServer: JobServer,
    private readonly viewers: ReadonlySet<Viewer>,
  ) {}

  attend(kind: 'job' | 'worker' | 'audit', isWanted: boolean): void {
    const stop = this.stops.get(kind);
    if (isWanted === (stop !== undefined)) return;
    if (isWanted) this.stops.set(kind, this[kind]());
    else this.stops.delete(kind);
    stop?.();
  }

  private job(): () => void {
    const stops = JOB_EVENTS.map((name) => {
      const heard = (job: JobEvent, worker?: WorkerEvent): void => {
        for (const viewer of this.viewers) viewer.job?.(name, job, worker);
      };
      this.jobServer.on(name, heard);
      return () => this.jobServer.off(name, heard);
    });
    return () => stops.forEach((stop) => stop());
  }

  private worker(): () => void {
    const stops = WORKER_EVENTS.map((name) => {
      const heard = (worker: WorkerEvent): void => {
        for (const viewer of this.viewers) viewer.worker?.(name, worker);
      };
      this.jobServer.on(name, heard);
      return () => this.jobServer.off(name, heard);
    });
    return () => stops.forEach((stop) => stop());
  }

  private audit(): () => void {
    const heard = (event: AuditEvent): void => {
      for (const viewer of this.viewers) viewer.audit?.(event);
    };
    this.jobServer.on('audit', heard);
    return () => this.jobServer.off('audit', heard);
  }
}
