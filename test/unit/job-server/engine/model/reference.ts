import type { EngineOptions, GrabKind, Outcome } from '../../../../../lib/job-server/engine/index.js';

/** The rules of one run, as the engine is given them. */
export type Rules = Pick<
  Required<EngineOptions>,
  'order' | 'jobRetries' | 'wakeupsPerJob' | 'maxRunningPerWorker' | 'wakeTimeout' | 'abandonedTimeout'
> & {
  /** How often and after how long a stored job that failed is tried again; undefined: no policy. */
  retry: { attempts: number; delay: number } | undefined;
};

/** What the reference knows of a job. */
export interface ReferenceJob {
  readonly label: string;
  readonly name: string;
  readonly priority: 0 | 1 | 2;
  /** Under what it coalesces, empty: under nothing. */
  readonly key: string;
  readonly isStored: boolean;
  isBackground: boolean;
  state: 'delayed' | 'waiting' | 'running';
  at: number;
  sequence: number;
  losses: number;
  attempts: number;
  isCancelled: boolean;
  /** One entry a foreground submission. */
  clients: ReferencePeer[];
  worker: ReferencePeer | undefined;
  /** Whose time ran out, while the job waits. */
  late: ReferencePeer | undefined;
  /** How long its worker, or the late one, was given; 0: no limit. */
  limit: number;
  /** When its worker's time ends, or nobody waits for it any longer. */
  deadline: number;
}

/** What the reference knows of a peer. */
export interface ReferencePeer {
  readonly index: number;
  /** In the order they were registered. */
  abilities: { name: string; timeout: number }[];
  isPushed: boolean;
  isAsleep: boolean;
  /** It got a NOOP since it went to sleep. */
  isWoken: boolean;
  kept: GrabKind[];
  lastServed: number[];
}

/** What a peer is still to hear: one end for each foreground submission. */
export interface Owed {
  readonly peer: ReferencePeer;
  readonly label: string;
}

/**
 * The engine as one would explain it: plain arrays, every question answered by
 * looking at everything. It never acts by itself; it is told what happened, in
 * the order in which the engine told it, and says whether that was right.
 */
export class Reference {
  jobs: ReferenceJob[] = [];
  peers: ReferencePeer[] = [];
  readonly paused = new Set<string>();
  /** How each job that is over ended. */
  readonly ends: { label: string; outcome: Outcome }[] = [];
  /** Stored jobs that wait for their retry outside. */
  parked: ReferenceJob[] = [];
  owed: Owed[] = [];
  isHalted = false;
  /** On the clock that nobody sets. */
  now = 0;
  /** How far the clock of dates is ahead of it. */
  ahead = 2 ** 38;
  private sequence = 0;

  /** @param numberOf a function's number, which says whose turn it is. */
  constructor(
    readonly rules: Rules,
    private readonly numberOf: (name: string) => number,
  ) {}

  get date(): number {
    return this.now + this.ahead;
  }

  job(label: string): ReferenceJob {
    const found = this.jobs.find((job) => job.label === label);
    if (!found) throw new Error(`the reference has no job ${label}`);
    return found;
  }

  /** The job a submission joins. */
  findByKey(name: string, key: string): ReferenceJob | undefined {
    return key === '' ? undefined : this.jobs.find((job) => job.name === name && job.key === key);
  }

  isAbandoned(job: ReferenceJob): boolean {
    return !job.isBackground && job.clients.length === 0;
  }

  waiting(name: string): ReferenceJob[] {
    return this.jobs.filter((job) => job.name === name && job.state === 'waiting').sort(bySequence);
  }

  running(peer: ReferencePeer): ReferenceJob[] {
    return this.jobs.filter((job) => job.worker === peer);
  }

  isFull(peer: ReferencePeer): boolean {
    const { maxRunningPerWorker } = this.rules;
    return maxRunningPerWorker > 0 && this.running(peer).length >= maxRunningPerWorker;
  }

  /** The job a worker gets if it asks now. */
  turn(peer: ReferencePeer): ReferenceJob | undefined {
    if (this.isHalted || this.isFull(peer)) return undefined;
    const names = peer.abilities.map(({ name }) => name).filter((name) => !this.paused.has(name));
    const jobs = names.flatMap((name) => this.waiting(name)).filter((job) => !this.isAbandoned(job));
    return this.rules.order === '1.1' ? turnByFunction(names, jobs) : this.turnByPriority(peer, jobs);
  }

  private turnByPriority(peer: ReferencePeer, jobs: ReferenceJob[]): ReferenceJob | undefined {
    const priority = Math.min(...jobs.map((job) => job.priority));
    const last = peer.lastServed[priority] ?? -1;
    // Functions behind the last one served come before it and those in front of it.
    const rank = (job: ReferenceJob): number => {
      const number = this.numberOf(job.name);
      return number > last ? number : number + 1_000_000;
    };
    return jobs
      .filter((job) => job.priority === priority)
      .sort((one, other) => rank(one) - rank(other) || bySequence(one, other))[0];
  }

  /** A job came: it waits, or is delayed. */
  add(job: ReferenceJob): void {
    this.jobs.push(job);
    this.place(job, job.at);
  }

  place(job: ReferenceJob, at: number): void {
    job.worker = undefined;
    job.deadline = Infinity;
    job.at = at;
    job.state = at > this.date ? 'delayed' : 'waiting';
    if (job.state === 'waiting') job.sequence = ++this.sequence;
  }

  /** A job is to run again after a while. */
  retry(job: ReferenceJob, delay: number): void {
    this.place(job, 0);
    if (delay === 0) return;
    job.state = 'delayed';
    job.at = Infinity;
    job.deadline = this.now + delay;
  }

  /** Whether what a job waits for has come: its date, or the end of a duration. */
  isDue(job: ReferenceJob): boolean {
    return job.deadline <= this.now || (job.state === 'delayed' && job.at <= this.date);
  }

  /** The delayed jobs whose time has come wait now, in the order in which it came; those nobody wants end. */
  awaken(): void {
    const due = this.jobs.filter((job) => job.state === 'delayed' && this.isDue(job) && !this.isAbandoned(job));
    due.sort(byTime);
    for (const job of due) this.place(job, 0);
  }

  start(job: ReferenceJob, peer: ReferencePeer): void {
    const { timeout } = peer.abilities.find(({ name }) => name === job.name)!;
    job.limit = timeout > 0 ? Math.max(timeout, 1_000) : 0;
    this.run(job, peer);
  }

  /** A worker has a job: the one whose turn it was, or one that it goes on with though its time had run out. */
  run(job: ReferenceJob, peer: ReferencePeer): void {
    job.state = 'running';
    job.worker = peer;
    job.late = undefined;
    job.deadline = job.limit > 0 ? this.now + job.limit : Infinity;
    peer.lastServed[job.priority] = this.numberOf(job.name);
  }

  /** A lost job stands where it stood, or in the old order at the end. */
  putBack(job: ReferenceJob): void {
    job.state = 'waiting';
    job.worker = undefined;
    job.deadline = Infinity;
    if (this.rules.order === '1.1') job.sequence = ++this.sequence;
  }

  /** After how long a stored job that failed runs again. */
  retryAfter(job: ReferenceJob): number | 'exhausted' | undefined {
    const { retry } = this.rules;
    if (!retry || !job.isStored || job.isCancelled) return undefined;
    return job.attempts < retry.attempts ? retry.delay : 'exhausted';
  }

  /** What is to become of a job that loses its worker. */
  fateOfLost(job: ReferenceJob): 'retried' | 'cancelled' | 'failed' | 'abandoned' | 'requeued' {
    const { jobRetries } = this.rules;
    const retryAfter = this.retryAfter(job);
    if (typeof retryAfter === 'number') return 'retried';
    if (job.isCancelled) return 'cancelled';
    if (retryAfter === 'exhausted' || (jobRetries > 0 && job.losses + 1 >= jobRetries)) return 'failed';
    return this.isAbandoned(job) ? 'abandoned' : 'requeued';
  }

  end(job: ReferenceJob, outcome: Outcome): void {
    this.jobs = this.jobs.filter((other) => other !== job);
    this.ends.push({ label: job.label, outcome });
    this.owed.push(...job.clients.map((peer) => ({ peer, label: job.label })));
  }

  park(job: ReferenceJob): void {
    this.jobs = this.jobs.filter((other) => other !== job);
    this.parked.push(job);
  }

  /** A peer waits for a job no longer; queued and wanted by nobody, the job has little time left. */
  detach(job: ReferenceJob, peer: ReferencePeer): void {
    if (!job.clients.includes(peer)) return;
    job.clients = job.clients.filter((client) => client !== peer);
    if (job.state === 'waiting' && this.isAbandoned(job)) job.deadline = this.now + this.rules.abandonedTimeout;
  }
}

export function newPeer(index: number): ReferencePeer {
  return {
    index,
    abilities: [],
    isPushed: false,
    isAsleep: false,
    isWoken: false,
    kept: [],
    lastServed: [-1, -1, -1],
  };
}

function turnByFunction(names: readonly string[], jobs: readonly ReferenceJob[]): ReferenceJob | undefined {
  for (const name of [...names].reverse()) {
    const own = jobs.filter((job) => job.name === name);
    const first = own.sort((one, other) => one.priority - other.priority || bySequence(one, other))[0];
    if (first) return first;
  }
  return undefined;
}

/** Durations before dates; no two are over at one moment. */
function byTime(one: ReferenceJob, other: ReferenceJob): number {
  return one.deadline === other.deadline ? one.at - other.at : one.deadline - other.deadline;
}

function bySequence(one: ReferenceJob, other: ReferenceJob): number {
  return one.sequence - other.sequence;
}
