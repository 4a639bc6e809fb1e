import {
  Engine,
  Priority,
  Refusal,
  type EngineListener,
  type EngineOptions,
  type GrabKind,
  type Job,
  type JobSpec,
  type Outcome,
  type Peer,
  type PeerListener,
  type Workload,
} from '../../lib/job-server/engine/index.js';

/** The options of a submission in addition to its function and its label. */
export interface Submission {
  unique?: string;
  priority?: keyof typeof Priority;
  background?: boolean;
  at?: number;
}

/**
 * An engine, its time and its peers, all controlled by a test. A job is named by its
 * label, which is also its workload: after `client.submit('f', 'a')`, `worker.grab()`
 * returns `'a'`.
 */
export class EngineScene {
  readonly engine: Engine;
  /** What the engine told the job server around it, such as `submitted a`. */
  readonly events: string[] = [];
  /** Called for each of {@link events}, while the engine is still in the middle of it. */
  onEvent: (event: string) => void = () => {};
  /** The last due time that the engine asked for. */
  due = Infinity;
  /** Whether the engine has asked for a later turn, to go on with large work. */
  hasMore = false;
  /** The clock that nobody sets. Tests use it for dates too, because both clocks agree until {@link setClock}. */
  now = 1_700_000_000_000;
  private ahead = 0;
  private readonly handles = new Map<string, string>();

  constructor(options: Partial<EngineOptions> = {}) {
    this.engine = new Engine({ handlePrefix: 'H:', ...options }, this.listen());
    this.tick();
  }

  /** Moves the clock of dates forward by so many milliseconds, or back, without telling anybody. */
  setClock(by: number): void {
    this.ahead += by;
  }

  /** The date, in milliseconds since 1970. */
  get date(): number {
    return this.now + this.ahead;
  }

  /** A client. */
  client(): ScenePeer {
    return new ScenePeer(this);
  }

  /** A worker that has registered these functions in this order. */
  worker(...functions: string[]): ScenePeer {
    const worker = new ScenePeer(this);
    for (const name of functions) worker.canDo(name);
    return worker;
  }

  /** Submits background jobs of a function, in this order. */
  queue(name: string, ...labels: string[]): void {
    for (const label of labels) this.submit(name, label, { background: true });
  }

  /** Submits a job; returns the label of the job that it became or joined, or the code of the refusal. */
  submit(name: string, label: string, submission: Submission = {}, client?: Peer): string {
    const taken = this.engine.submit(specOf(name, label, submission), client);
    if (taken instanceof Refusal) return taken.code;
    const taker = String(taken.workload);
    if (!this.handles.has(taker)) this.handles.set(taker, this.engine.handleOf(taken));
    return taker;
  }

  /** The handle of the first job with a label. */
  handle(label: string): string {
    return this.handles.get(label) ?? `no job ${label}`;
  }

  /** The job with a label, while it exists. */
  job(label: string): Job | undefined {
    return this.engine.find(this.handle(label));
  }

  /** Lets time pass; the engine does everything that becomes due in between, at the time when it is due. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let due = this.tick(); due <= end; due = this.tick()) this.now = due;
    this.now = end;
    this.tick();
  }

  /** Gives the engine later turns until no large work is left; returns how many it needed. */
  workOff(): number {
    let turns = 0;
    for (; this.hasMore; turns++) this.nextTurn();
    return turns;
  }

  /** Gives the engine one later turn. */
  nextTurn(): void {
    this.hasMore = this.engine.work();
  }

  /** Total, running and workers of a function, as the admin command `status` tells them. */
  status(name: string): string {
    const function_ = this.engine.functions.find(name);
    return function_ ? `${function_.total} ${function_.running} ${function_.workers.size}` : 'unknown';
  }

  private tick(): number {
    return this.engine.tick(this.now, this.date);
  }

  private listen(): EngineListener {
    const note = (event: string): void => {
      this.events.push(event);
      this.onEvent(event);
    };
    return {
      due: (at) => (this.due = at),
      later: () => (this.hasMore = true),
      submitted: (job) => note(`submitted ${String(job.workload)}`),
      assigned: (job) => note(`assigned ${String(job.workload)}`),
      requeued: (job) => note(`requeued ${String(job.workload)}`),
      ended: (job, outcome: Outcome) => note(`${outcome} ${String(job.workload)}`),
      workerChanged: (worker) => note(worker.abilities.size > 0 ? 'worker joined' : 'worker left'),
    };
  }
}

/** A client, a worker or both: its methods act, and it writes down what it is told. */
export class ScenePeer {
  readonly peer: Peer;
  private readonly news: string[] = [];

  constructor(private readonly scene: EngineScene) {
    this.peer = scene.engine.join(recordInto(this.news));
  }

  /** What it was told since the last call: `NOOP`, `JOB a`, `NO_JOB`, `COMPLETE a result`, ... */
  heard(): string[] {
    return this.news.splice(0);
  }

  // --- as a worker ---

  canDo(name: string, timeout?: number): string | undefined {
    return this.scene.engine.canDo(this.peer, name, timeout)?.code;
  }

  cantDo(name: string): void {
    this.scene.engine.cantDo(this.peer, name);
  }

  resetAbilities(): void {
    this.scene.engine.resetAbilities(this.peer);
  }

  allYours(): void {
    this.scene.engine.allYours(this.peer);
  }

  sleep(): void {
    this.scene.engine.sleep(this.peer);
  }

  /** Asks for a job; returns its label, `kept` or `NO_JOB`. */
  grab(kind: GrabKind = 'plain'): string {
    const job = this.scene.engine.grab(this.peer, kind);
    return typeof job === 'object' ? String(job.workload) : (job ?? 'NO_JOB');
  }

  /** Grabs until there is no job. */
  grabAll(): string[] {
    const labels: string[] = [];
    for (let label = this.grab(); label !== 'NO_JOB'; label = this.grab()) labels.push(label);
    return labels;
  }

  complete(label: string, result = ''): string | undefined {
    return this.scene.engine.complete(this.peer, this.scene.handle(label), result)?.code;
  }

  /** Sends WORK_FAIL; a client of the job cancels it that way. */
  fail(label: string): string | undefined {
    return this.scene.engine.fail(this.peer, this.scene.handle(label))?.code;
  }

  exception(label: string, bytes: string): string | undefined {
    return this.scene.engine.exception(this.peer, this.scene.handle(label), bytes)?.code;
  }

  sendData(label: string, bytes: string): string | undefined {
    return this.scene.engine.data(this.peer, this.scene.handle(label), bytes)?.code;
  }

  warn(label: string, bytes: string): string | undefined {
    return this.scene.engine.warning(this.peer, this.scene.handle(label), bytes)?.code;
  }

  report(label: string, numerator: string, denominator: string): string | undefined {
    return this.scene.engine.progress(this.peer, this.scene.handle(label), numerator, denominator)?.code;
  }

  // --- as a client ---

  submit(name: string, label: string, submission?: Submission): string {
    return this.scene.submit(name, label, submission, this.peer);
  }

  leave(): void {
    this.scene.engine.leave(this.peer);
  }
}

function recordInto(news: string[]): PeerListener {
  const note = (what: string, job: Job, bytes: Workload): void =>
    void news.push(`${what} ${String(job.workload)} ${String(bytes)}`.trimEnd());
  return {
    wake: () => news.push('NOOP'),
    assign: (job, kind) => note(kind === 'plain' ? 'JOB' : `JOB(${kind})`, job, ''),
    noJob: () => news.push('NO_JOB'),
    abandoned: (job) => note('ABANDONED', job, ''),
    data: (job, bytes) => note('DATA', job, bytes),
    warning: (job, bytes) => note('WARNING', job, bytes),
    progress: (job) => note('STATUS', job, `${job.numerator}/${job.denominator}`),
    complete: (job, result) => note('COMPLETE', job, result),
    fail: (job) => note('FAIL', job, ''),
    exception: (job, bytes) => note('EXCEPTION', job, bytes),
  };
}

function specOf(name: string, label: string, submission: Submission): JobSpec {
  const { unique = '', priority = 'normal', background = false, at = 0 } = submission;
  return {
    function: name,
    unique,
    workload: label,
    priority: Priority[priority],
    isBackground: background,
    at,
  };
}
