import type { AuditEvent, JobEvent, WorkerEvent } from '../../job-server/events/index.js';
import { FunctionBoard, type SeenChange, type SeenFunction, type SeenName } from './function-board.js';

/** How often is looked at what may have changed, in milliseconds. */
export const LOOK_INTERVAL = 1_000;

/** For how long what was seen is remembered once nobody looks on, in milliseconds. */
const MEMORY = 60_000;

/** What is told of a job. */
export const JOB_EVENTS = ['submitted', 'assigned', 'completed', 'failed', 'cancelled', 'requeued'] as const;
export const WORKER_EVENTS = ['workerJoined', 'workerLeft'] as const;

/** Who looks on. */
export interface Viewer {
  /** What may have changed was looked at again. */
  looked(): void;
  /** Only where it wants jobs. */
  job?(happened: (typeof JOB_EVENTS)[number], job: JobEvent, worker?: WorkerEvent): void;
  worker?(happened: (typeof WORKER_EVENTS)[number], worker: WorkerEvent): void;
  audit?(event: AuditEvent): void;
}

/** What is told as it happens. */
export type HappeningKind = 'job' | 'worker' | 'audit';

/** A job server as it is looked at. */
export interface Sight<Key> {
  /** What times of rows count from. */
  readonly epoch: Date;
  /** How long ago the epoch was, in milliseconds, whatever was done to the clock of the machine since. */
  readonly now: number;
  /** Its version, where it is known. */
  readonly version: string | undefined;
  nameOf(key: Key): SeenName;
  /** All functions as they are now; a slice of them is looked at together. */
  functions(): Iterable<SeenFunction<Key>> | Promise<Iterable<SeenFunction<Key>>>;
  /** What may have changed since it was looked at before; undefined, or missing, where all must be looked at. */
  changes?(): Iterable<SeenChange<Key>> | undefined;
  /** Nobody looks on for now. */
  rest?(): void;
  /** The job server itself, after its functions were looked at. */
  state(eventStreams: number): object;
  /** Begins or ceases to tell what happens. @returns false: that cannot be told. */
  attend(kind: HappeningKind, viewers: ReadonlySet<Viewer>, isWanted: boolean): boolean;
}

/** What is looked at. */
interface Seeing {
  readonly sight: Sight<unknown>;
  readonly board: FunctionBoard<unknown>;
}

/**
 * What changes at a job server, for those who look on: while there is one, it is
 * looked at once a second, a slice at a time; at first everything, then what
 * something happened to. Costs nothing while nobody does.
 */
export class Live {
  private current: Seeing | undefined;
  private readonly viewers = new Set<Viewer>();
  private timer: NodeJS.Timeout | undefined;
  private forgetting: NodeJS.Timeout | undefined;
  private isLooking = false;
  /** The job server itself, as last seen. */
  state: object | undefined;

  /** @param open asked when the first one looks on. */
  constructor(private readonly open: () => Sight<unknown>) {}

  /** How many look on. */
  get viewerCount(): number {
    return this.viewers.size;
  }

  /** The functions, as they were seen last. */
  get board(): FunctionBoard<unknown> {
    return this.seeing().board;
  }

  get sight(): Sight<unknown> {
    return this.seeing().sight;
  }

  /** Whether what somebody wants to hear can be told at all. */
  canTell(kind: HappeningKind): boolean {
    const isWanted = [...this.viewers].some((viewer) => viewer[kind]);
    return this.seeing().sight.attend(kind, this.viewers, isWanted);
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
    this.current?.sight.rest?.();
    this.forgetting = setTimeout(() => (this.current = this.state = undefined), MEMORY).unref();
  }

  private seeing(): Seeing {
    if (!this.current) {
      const sight = this.open();
      this.current = { sight, board: new FunctionBoard((key) => sight.nameOf(key)) };
    }
    return this.current;
  }

  /** Looks at what may have changed, and tells those who look on; who joins meanwhile is told as well. */
  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    const { sight, board } = this.seeing();
    const changes = sight.changes?.();
    const slices = changes ? board.follow(changes) : board.look(await sight.functions());
    while (!slices.next().done) await new Promise(setImmediate);
    this.state = sight.state(this.viewers.size);
    this.isLooking = false;
    for (const viewer of this.viewers) viewer.looked();
  }

  /** Hears of jobs, workers and audits only where somebody wants to: each costs something at every job. */
  private attend(): void {
    for (const kind of ['job', 'worker', 'audit'] as const) this.canTell(kind);
  }
}
