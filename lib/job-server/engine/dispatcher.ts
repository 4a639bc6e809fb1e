import { PRIORITIES } from './job-spec.js';
import { elapsed, shortTime, type GearmanFunction, type GrabKind, type Job, type Peer } from './model.js';
import type { EngineListener } from './listener.js';
import type { Chore } from './chores.js';
import type { Clock } from './clock.js';
import type { EngineOptions } from './engine-options.js';
import type { Functions } from './functions.js';

/** How many grabs one connection may keep open. */
const MAX_KEPT_GRABS = 1_024;

/** How many workers are told at once that a function has jobs. */
const TOLD_AT_ONCE = 64;

/** How many jobs that nobody wants are dropped at once for a worker that asks. */
const DROPPED_AT_ONCE = 64;

/** What becomes of jobs that need no worker any more, or another one. */
export interface JobFate {
  /** A queued job's turn came, and its clients have all left. */
  drop(job: Job): void;
  /** A job ran longer than its worker said it may. */
  timeOut(job: Job, timeout: number): void;
  /** Does work that may be large; where it is, in turns with other work. */
  inTurns(chore: Chore): void;
}

/**
 * Brings jobs and workers together: who is woken or given a job, and which job
 * a grab gets.
 *
 * No more sleepers are woken than jobs wait, and a woken worker that does not
 * ask within `wakeTimeout` is not counted on any longer: another is woken.
 * Nobody sleeps, and no grab is kept, while a job waits that it could do.
 */
export class Dispatcher {
  /** While true no worker is given or told of a job. */
  isHalted = false;

  constructor(
    private readonly options: Required<EngineOptions>,
    private readonly functions: Functions,
    private readonly clock: Clock,
    private readonly listener: EngineListener,
    private readonly fate: JobFate,
  ) {}

  /** A worker asks for a job: the job, `kept` when the answer comes later, or undefined for NO_JOB. */
  grab(worker: Peer, kind: GrabKind): Job | 'kept' | undefined {
    const wokenFor = worker.wokenFor;
    this.stopWaiting(worker);
    worker.isSleeping = worker.isWoken = false;
    const job = this.isFull(worker) ? undefined : this.peek(worker);
    if (job) this.start(job, worker);
    if (wokenFor) this.offer(wokenFor);
    if (job) return job;
    if (!worker.isPushed || worker.abilities.size === 0 || worker.keptGrabs.length >= MAX_KEPT_GRABS) return undefined;
    worker.keptGrabs.push(kind);
    this.rejoin(worker);
    return 'kept';
  }

  /** A worker goes to sleep, or hears at once that a job waits. */
  sleep(worker: Peer): void {
    // A woken worker that sleeps again without having asked gets one more NOOP if a job still waits.
    const { wokenFor } = worker;
    this.stopWaiting(worker);
    worker.isSleeping = true;
    worker.isWoken = false;
    this.findWork(worker);
    if (wokenFor) this.offer(wokenFor);
  }

  /** Finds work for a worker that could do more than a moment ago, or lets it wait in its rotations. */
  findWork(worker: Peer): void {
    while (worker.keptGrabs.length > 0 && this.give(worker));
    if (!worker.isAvailable || this.isFull(worker)) return;
    const job = worker.isSleeping ? this.peek(worker) : undefined;
    if (job) this.wake(worker, job.function_);
    else this.rejoin(worker);
  }

  /** Tells waiting workers of a function's jobs: one for each job. */
  offer(function_: GearmanFunction): void {
    for (let told = 0; told < TOLD_AT_ONCE; told++) if (!this.offerToNext(function_)) return;
    // Ten thousand may sleep, and all of them be woken (`wakeupsPerJob` 0).
    this.fate.inTurns(this.offering(function_));
  }

  private *offering(function_: GearmanFunction): Chore {
    while (this.offerToNext(function_)) yield;
  }

  /** Tells the worker whose turn it is; false when nobody is to be told. */
  private offerToNext(function_: GearmanFunction): boolean {
    const { wakeupsPerJob } = this.options;
    if (this.isHalted || function_.isPaused || function_.waiting === 0) return false;
    if (wakeupsPerJob > 0 && function_.woken >= function_.waiting * wakeupsPerJob) return false;
    const worker = function_.rotation.take();
    if (!worker) return false;
    if (this.isFull(worker)) return true;
    if (worker.keptGrabs.length === 0) {
      this.wake(worker, function_);
    } else {
      this.give(worker);
      if (worker.isAvailable) this.rejoin(worker);
    }
    return true;
  }

  /** A worker no longer does a function: if it was woken for it, another worker is woken instead. */
  withdraw(worker: Peer, function_: GearmanFunction | undefined): void {
    if (!function_ || worker.wokenFor !== function_) return;
    this.stopWaiting(worker);
    this.offer(function_);
  }

  /** A worker is to get no more jobs: if it was woken, another one is woken in its place. */
  quiet(worker: Peer): void {
    worker.isQuiet = true;
    const { wokenFor } = worker;
    this.stopWaiting(worker);
    if (wokenFor) this.offer(wokenFor);
  }

  /** A quiet worker may get jobs again. */
  rouse(worker: Peer): void {
    worker.isQuiet = false;
    this.findWork(worker);
  }

  /** Forgets that a worker was woken: it asked, sleeps anew, or took too long. */
  private stopWaiting(worker: Peer): void {
    if (!worker.wokenFor) return;
    worker.wokenFor.woken--;
    worker.wokenFor = undefined;
    this.clock.cancel(worker.wakeTimer);
    worker.wakeTimer = undefined;
  }

  /** Whether jobs of a function are given out: it has workers, and neither it nor all are held up. */
  isServed({ isPaused, workers }: GearmanFunction): boolean {
    return workers.size > 0 && !isPaused && !this.isHalted;
  }

  /** Tells the listener where a function is not served any more. */
  noticeIdle(function_: GearmanFunction): void {
    if (!this.isServed(function_)) this.listener.idle?.(function_);
  }

  /** Asks for more stored jobs of a function when few are left in memory, and the function is served. */
  refill(function_: GearmanFunction): void {
    if (!this.isServed(function_)) return;
    for (const priority of PRIORITIES) {
      if (function_.stored[priority] === 0 || function_.isFetching[priority]) continue;
      if (function_.queues[priority].length > function_.window / 2) continue;
      function_.isFetching[priority] = true;
      this.listener.want?.(function_, priority);
    }
  }

  /** True when a worker can be given no further job until one of its own ends. */
  private isFull(worker: Peer): boolean {
    const { maxRunningPerWorker } = this.options;
    return worker.isQuiet || (maxRunningPerWorker > 0 && worker.running.size >= maxRunningPerWorker);
  }

  /** Answers the oldest kept grab if there is a job for it. */
  private give(worker: Peer): boolean {
    if (this.isFull(worker)) return false;
    const job = this.peek(worker);
    if (!job) return false;
    const kind = worker.keptGrabs.shift()!;
    this.start(job, worker);
    worker.listener.assign(job, kind);
    return true;
  }

  private wake(worker: Peer, function_: GearmanFunction): void {
    if (worker.isWoken) return;
    worker.isWoken = true;
    worker.wokenFor = function_;
    function_.woken++;
    worker.wakeTimer = this.clock.after(this.options.wakeTimeout, () => {
      this.stopWaiting(worker);
      this.offer(function_);
    });
    worker.listener.wake();
  }

  private rejoin(worker: Peer): void {
    if (worker.missingPlaces.length === 0) return;
    for (const place of worker.missingPlaces) place.rotation.add(place);
    worker.missingPlaces = [];
  }

  /** A worker begins to run the job whose turn it is. */
  private start(job: Job, worker: Peer): void {
    this.functions.remove(job);
    this.run(job, worker, worker.abilities.get(job.function_)!.timeout);
  }

  /** A worker runs a job that is in no queue any more; `timeout` in milliseconds, 0: without a limit. */
  run(job: Job, worker: Peer, timeout: number): void {
    const function_ = job.function_;
    job.lateWorker?.late.delete(job);
    job.lateWorker = undefined;
    job.state = 'running';
    job.worker = worker;
    function_.runningJobs.push(job);
    this.functions.running++;
    this.functions.touched.add(function_);
    const { stats } = function_;
    stats.started++;
    stats.wait.add(elapsed(job.since, this.clock.now));
    job.since = shortTime(this.clock.now);
    worker.running.add(job);
    worker.lastServed[job.priority] = function_.number;
    if (timeout > 0) job.timer = this.clock.after(timeout, () => this.fate.timeOut(job, timeout));
    this.listener.assigned?.(job, worker);
    this.refill(function_);
  }

  /** The job whose turn it is among all that a worker can do; abandoned jobs before it are dropped. */
  private peek(worker: Peer): Job | undefined {
    for (let dropped = 0; dropped < DROPPED_AT_ONCE; dropped++) {
      const job = this.next(worker);
      if (!job?.isAbandoned) return job;
      this.fate.drop(job);
    }
    // A client may have abandoned 100,000 jobs: the worker is told of the next one once they are gone.
    this.fate.inTurns(this.clearing(worker));
    const job = this.next(worker);
    return job?.isAbandoned ? undefined : job;
  }

  private *clearing(worker: Peer): Chore {
    for (let job = this.next(worker); job?.isAbandoned; job = this.next(worker)) yield this.fate.drop(job);
    this.findWork(worker);
  }

  private next(worker: Peer): Job | undefined {
    if (this.isHalted) return undefined;
    return this.options.order === '1.1' ? this.peekInFunctionOrder(worker) : this.peekInPriorityOrder(worker);
  }

  private peekInPriorityOrder(worker: Peer): Job | undefined {
    for (const priority of PRIORITIES) {
      const number = worker.mask.nextInBoth(this.functions.ready[priority], worker.lastServed[priority]);
      if (number >= 0) return this.functions.at(number).queues[priority].head;
    }
    return undefined;
  }

  /** The first job of one function: of the worker's functions with a job, the one that it registered last. */
  private peekInFunctionOrder(worker: Peer): Job | undefined {
    let function_: GearmanFunction | undefined;
    let latest = 0;
    for (const priority of PRIORITIES) {
      for (const number of worker.mask.inBoth(this.functions.ready[priority])) {
        const candidate = this.functions.at(number);
        const { registered } = worker.abilities.get(candidate)!;
        if (registered <= latest) continue;
        latest = registered;
        function_ = candidate;
      }
    }
    for (const priority of PRIORITIES) {
      const job = function_?.queues[priority].head;
      if (job) return job;
    }
    return undefined;
  }
}
