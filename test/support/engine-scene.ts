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

/** What a submission may say beside its function and its label. */
export interface Submission {
  unique?: string;
  priority?: keyof typeof Priority;
  background?: boolean;
  at?: number;
}

/**
 * An engine, its time and its peers, in a test's hands. A job is called by its
 * label, which is its workload: `client.submit('f', 'a')`, `worker.grab()` is
 * `'a'`.
 */
export class EngineScene {
  readonly engine: Engine;
  /** What the engine told the job server around it, as `submitted a`. */
  readonly events: string[] = [];
  /** Called at each of {@link events}, while the engine is in the middle of it. */
  onEvent: (event: string) => void = () => {};
  /** The last due time the engine asked for. */
  due = Infinity;
  /** The engine has asked for a later turn, to go on with what is large. */
  hasMore = false;
  /** On the clock that nobody sets. Tests give dates by it too, for both clocks agree until {@link setClock}. */
  now = 1_700_000_000_000;
  private ahead = 0;
  private readonly handles = new Map<string, string>();

  constructor(options: Partial<EngineOptions> = {}) {
    this.engine = new Engine({ handlePrefix: 'H:', ...options }, this.listen());
    this.tick();
  }

  /** Sets the clock of dates ahead by so many milliseconds, or back. Nobody is told. */
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

  /** A worker that registered these functions in this order. */
  worker(...functions: string[]): ScenePeer {
    const worker = new ScenePeer(this);
    for (const name of functions) worker.canDo(name);
    return worker;
  }

  /** Background jobs of a function, oldest first. */
  queue(name: string, ...labels: string[]): void {
    for (const label of labels) this.submit(name, label, { background: true });
  }

  /** Submits a job and returns the label of the job that took it, or a refusal's code. */
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

  /** The job with a label, while it is there. */
  job(label: string): Job | undefined {
    return this.engine.find(this.handle(label));
  }

  /** Lets time pass, and the engine do what becomes due on the way when it is due. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let due = this.tick(); due <= end; due = this.tick()) this.now = due;
    this.now = end;
    this.tick();
  }

  /** Gives the engine its later turns until nothing large is left to do; answers how many it took. */
  workOff(): number {
    let turns = 0;
    for (; this.hasMore; turns++) this.nextTurn();
    return turns;
  }

  /** Gives the engine one later turn. */
  nextTurn(): void {
    this.hasMore = this.engine.work();
  }

  /** Total, running and workers of a function, as admin `status` tells them. */
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

/** A client, a worker or both: it acts by calls and writes down what it hears. */
export class ScenePeer {
  readonly peer: Peer;
  private readonly news: string[] = [];

  constructor(private readonly scene: EngineScene) {
    this.peer = scene.engine.join(recordInto(this.news));
  }

  /** What it heard since it was last asked: `NOOP`, `JOB a`, `NO_JOB`, `COMPLETE a result`, ... */
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

  /** Asks for a job: its label, `kept` or `NO_JOB`. */
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

  /** WORK_FAIL; as a client of the job it cancels it. */
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
