import type { AuditEvent, JobEvent, WorkerEvent } from '../../job-server/events/index.js';
import { FunctionBoard, type SeenChange, type SeenFunction, type SeenName } from './function-board.js';

/** How often the functions that may have changed are looked at, in milliseconds. */
export const LOOK_INTERVAL = 1_000;

/** How long the board is remembered after the last viewer has left, in milliseconds. */
const MEMORY = 60_000;

/** The events of jobs that viewers can get. */
export const JOB_EVENTS = ['submitted', 'assigned', 'completed', 'failed', 'cancelled', 'requeued'] as const;
export const WORKER_EVENTS = ['workerJoined', 'workerLeft'] as const;

/** A viewer of a job server. */
export interface Viewer {
  /** There was a look: something may have changed. */
  looked(): void;
  /** Only if the viewer wants events of jobs. */
  job?(happened: (typeof JOB_EVENTS)[number], job: JobEvent, worker?: WorkerEvent): void;
  worker?(happened: (typeof WORKER_EVENTS)[number], worker: WorkerEvent): void;
  audit?(event: AuditEvent): void;
}

/** The kinds of events that are sent as they happen. */
export type HappeningKind = 'job' | 'worker' | 'audit';

/** A job server as viewers see it. */
export interface Sight<Key> {
  /** The moment from which times in rows are counted. */
  readonly epoch: Date;
  /** How long ago the epoch was, in milliseconds, whatever was done to the machine's clock since. */
  readonly now: number;
  /** Its version, if it is known. */
  readonly version: string | undefined;
  nameOf(key: Key): SeenName;
  /** All functions as they are now, to be read slice by slice. */
  functions(): Iterable<SeenFunction<Key>> | Promise<Iterable<SeenFunction<Key>>>;
  /** The functions that may have changed since the last look; undefined, or missing, if all must be looked at. */
  changes?(): Iterable<SeenChange<Key>> | undefined;
  /** Nobody views it for now. */
  rest?(): void;
  /** The state of the job server itself, after its functions were read. */
  state(eventStreams: number): object;
  /** Begins or ends sending a kind of event. @returns false if it cannot send that kind. */
  attend(kind: HappeningKind, viewers: ReadonlySet<Viewer>, isWanted: boolean): boolean;
}

/** What exists while somebody views the job server. */
interface Seeing {
  readonly sight: Sight<unknown>;
  readonly board: FunctionBoard<unknown>;
}

/**
 * Tells viewers what changes at a job server. While there is a viewer it looks once
 * a second, slice by slice: at first at everything, then at functions that an event
 * was about. Without viewers it costs nothing.
 */
export class Live {
  private current: Seeing | undefined;
  private readonly viewers = new Set<Viewer>();
  private timer: NodeJS.Timeout | undefined;
  private forgetting: NodeJS.Timeout | undefined;
  private isLooking = false;
  /** The job server's own state, as last seen. */
  state: object | undefined;

  /** @param open is called for the first viewer. */
  constructor(private readonly open: () => Sight<unknown>) {}

  /** How many viewers there are. */
  get viewerCount(): number {
    return this.viewers.size;
  }

  /** The functions, as they were last seen. */
  get board(): FunctionBoard<unknown> {
    return this.seeing().board;
  }

  get sight(): Sight<unknown> {
    return this.seeing().sight;
  }

  /** Whether a kind of event can be sent at all. */
  canTell(kind: HappeningKind): boolean {
    const isWanted = [...this.viewers].some((viewer) => viewer[kind]);
    return this.seeing().sight.attend(kind, this.viewers, isWanted);
  }

  /** Adds a viewer until the returned function is called. The viewer is told of a first look soon. */
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

  /** Looks at what may have changed, and tells the viewers, also those that joined in the meantime. */
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

  /** Listens to jobs, workers and audits only if a viewer wants them, because each listener costs something for every job. */
  private attend(): void {
    for (const kind of ['job', 'worker', 'audit'] as const) this.canTell(kind);
  }
}
