import {
  coalescingKey,
  type JobHistory,
  type JobSpec,
  type Outcome,
  type Priority,
  type Workload,
} from './job-spec.js';
import { elapsed, type GearmanFunction, Job, type Peer, shortTime, timeBefore } from './model.js';
import type { EngineListener, FailedRun } from './listener.js';
import { ClientNews, clientsOf, NOBODY } from './client-news.js';
import type { Clock } from './clock.js';
import { Chores, type Chore } from './chores.js';
import { Dispatcher, type JobFate } from './dispatcher.js';
import type { EngineOptions } from './engine-options.js';
import type { Functions } from './functions.js';
import type { JobTable } from './job-table.js';
import type { Timer } from './timers.js';

/** Why a job failed whose workers vanished, or took too long, too often. */
const LOSSES = {
  lostWorkers: 'its worker was lost',
  timeouts: 'its worker took longer than its timeout (CAN_DO_TIMEOUT)',
} as const;

/**
 * What happens to a job from its submission to its end, whoever caused it: it
 * waits, coalesces, is lost and comes back, is abandoned, ends.
 */
export class JobLife implements JobFate {
  readonly dispatcher: Dispatcher;
  readonly chores: Chores;
  /** What clients are told of their jobs. */
  readonly news: ClientNews;
  private sequence = 0;
  /** How many clients wait, each for each job it waits for. */
  waits = 0;

  constructor(
    private readonly options: Required<EngineOptions>,
    private readonly table: JobTable,
    private readonly functions: Functions,
    private readonly clock: Clock,
    private readonly listener: EngineListener,
  ) {
    this.chores = new Chores(() => listener.later?.());
    this.news = new ClientNews(this.chores);
    this.dispatcher = new Dispatcher(options, functions, clock, listener, this);
  }

  /** Begins a job's life. */
  begin(function_: GearmanFunction, spec: JobSpec, client?: Peer): Job {
    const job = new Job(this.table.nextId(), undefined, function_, spec);
    this.adopt(job, spec, client);
    this.place(job, spec.at);
    function_.stats.accepted(spec);
    this.listener.submitted?.(job);
    this.dispatcher.offer(function_);
    return job;
  }

  /** Goes on with the life of a job that storage kept, under the handle it has. */
  resume(function_: GearmanFunction, spec: JobSpec, history: JobHistory, age: number): Job {
    const job = this.again(function_, spec, history);
    job.isStored = true;
    job.isScheduled = spec.at > 0;
    this.adopt(job, spec, undefined);
    this.place(job, spec.at);
    if (age > 0 && job.state === 'waiting') job.readySince = job.since = timeBefore(this.clock.now, age);
    this.dispatcher.offer(function_);
    return job;
  }

  /** Begins the life here of a job that another job server has; `worker` reports about it. */
  follow(spec: JobSpec, history: JobHistory, client: Peer, worker: Peer): Job {
    const function_ = this.functions.find(spec.function) ?? this.functions.create(spec.function);
    const job = this.again(function_, spec, history);
    job.readySince = job.since = shortTime(this.clock.now);
    this.adopt(job, spec, client);
    this.dispatcher.run(job, worker, 0);
    return job;
  }

  /** Makes a job that has its handle already. */
  private again(function_: GearmanFunction, spec: JobSpec, { handle, losses, attempts }: JobHistory): Job {
    const id = this.table.idOf(handle);
    const job = new Job(id, id === 0 ? handle : undefined, function_, spec);
    // The storage has this string in memory as long as the job is here.
    job.spelledHandle = handle;
    job.losses = losses;
    job.attempts = attempts;
    return job;
  }

  /** A waiting job is another job server's from now on. */
  lend(job: Job, worker: Peer): void {
    this.displace(job);
    this.dispatcher.run(job, worker, 0);
  }

  /** A job that was another job server's waits here, in its old place. */
  takeOver(job: Job): void {
    this.putBack(job);
    this.dispatcher.offer(job.function_);
    this.dispatcher.refill(job.function_);
  }

  /** One more client waits for a job. */
  waitFor(job: Job, client: Peer): void {
    this.addClient(job, client);
    if (job.state === 'waiting') this.clock.cancel(job.timer);
  }

  private adopt(job: Job, spec: JobSpec, client: Peer | undefined): void {
    this.table.add(job);
    const key = coalescingKey(spec);
    // A stored job may find its unique taken by one submitted since: submissions join that one.
    if (key !== undefined && !job.function_.uniques.has(key)) job.function_.uniques.set(key, job);
    if (!spec.isBackground && client) this.addClient(job, client);
  }

  /** A further submission joins a job. */
  attach(job: Job, spec: JobSpec, client: Peer | undefined): void {
    job.function_.stats.coalesced++;
    if (spec.isBackground) job.isBackground = true;
    else if (client) this.addClient(job, client);
    if (job.state === 'waiting') this.clock.cancel(job.timer);
  }

  private addClient(job: Job, client: Peer): void {
    // Not an empty list that grows: that takes room for 17.
    if (job.clients) job.clients.push(client);
    else job.clients = [client];
    if (client.waitsFor.add(job)) this.waits++;
  }

  private forgetWait(client: Peer, job: Job): void {
    if (client.waitsFor.delete(job)) this.waits--;
  }

  /** A client takes one of its waits for a job back: what nobody waits for any more is dropped, unless it runs. */
  withdraw(job: Job, client: Peer): void {
    // What clients are still being told is for this wait too: the client must hear all of it first.
    this.news.tellRest(job);
    const clients = job.clients!;
    const last = clients.pop()!;
    // It does not matter which of the client's entries goes: only their number counts.
    if (last !== client) clients[clients.lastIndexOf(client)] = last;
    if (!clients.includes(client)) this.forgetWait(client, job);
    if (!job.isAbandoned) return;
    if (job.state === 'running') this.tellWorker(job);
    else this.end(job, 'abandoned');
  }

  /** Tells the worker of a job that nobody waits for any more, if it wants to know. */
  private tellWorker(job: Job): void {
    const worker = job.worker!;
    if (!worker.knowsWithdrawals || worker.isGone || job.wasAbandoned) return;
    job.wasAbandoned = true;
    worker.listener.abandoned(job);
  }

  /** A client no longer waits for a job; queued and waited for by nobody, it is dropped after a while. */
  detach(job: Job, client: Peer): void {
    this.forgetWait(client, job);
    // A new list: of the former one, a part may still be told something. And one client may stand in it 100,000 times.
    job.clients = job.clients?.filter((other) => other !== client);
    if (!job.isAbandoned) return;
    if (job.state === 'running') this.tellWorker(job);
    if (job.state !== 'waiting') return;
    job.timer = this.clock.after(this.options.abandonedTimeout, () => this.end(job, 'abandoned'));
  }

  private place(job: Job, at: number): void {
    if (at <= this.clock.date) this.enqueue(job);
    else this.delay(job, (fire) => this.clock.at(at, fire));
  }

  private delay(job: Job, set: (fire: () => void) => Timer): void {
    job.state = 'delayed';
    this.countDelayed(job, 1);
    job.timer = set(() => this.awaken(job));
  }

  private countDelayed({ function_, priority }: Job, by: 1 | -1): void {
    function_.delayed[priority] += by;
    this.functions.touched.add(function_);
  }

  /** A delayed job's time has come. */
  private awaken(job: Job): void {
    if (job.isAbandoned) {
      this.end(job, 'abandoned');
      return;
    }
    this.countDelayed(job, -1);
    this.enqueue(job);
    this.dispatcher.offer(job.function_);
  }

  /** A delayed job's time has come, because somebody says so; false when it is not delayed. */
  runNow(job: Job): boolean {
    if (job.state !== 'delayed') return false;
    this.clock.cancel(job.timer);
    job.timer = undefined;
    this.awaken(job);
    return true;
  }

  private enqueue(job: Job): void {
    job.state = 'waiting';
    job.sequence = ++this.sequence;
    job.readySince = job.since = shortTime(this.clock.now);
    this.functions.push(job);
  }

  /** Ends a job, and returns the clients still to be told. `result`: its result, or why it failed. */
  end(job: Job, outcome: Outcome, result: Workload = ''): readonly Peer[] {
    const { worker } = job;
    this.remove(job);
    const clients = clientsOf(job);
    for (const client of clients) this.forgetWait(client, job);
    this.count(job, outcome);
    this.listener.ended?.(job, outcome, result, worker);
    if (worker) {
      worker.done++;
      this.dispatcher.findWork(worker);
    }
    // A queue also runs low when jobs leave it without having been given out.
    else this.dispatcher.refill(job.function_);
    return clients;
  }

  private count(job: Job, outcome: Outcome): void {
    const { stats } = job.function_;
    if (outcome === 'completed') stats.completed++;
    else if (outcome === 'failed' && this.listener.isBuried?.(job)) stats.buried++;
    else stats[outcome]++;
  }

  /** A job failed: it ends, and the clients still to be told are returned; or a policy lets it run again. */
  fail(job: Job, reason: Workload): readonly Peer[] {
    if (job.wasAbandoned && !job.isAbandoned && !job.isCancelled) return this.runAgain(job);
    const retryAfter = job.isStored && !job.isCancelled ? this.listener.retryAfter?.(job, 'failed') : undefined;
    if (typeof retryAfter !== 'number') return this.end(job, 'failed', reason);
    const { worker } = job;
    this.retry(job, retryAfter, 'failed', reason);
    if (worker) this.dispatcher.findWork(worker);
    return NOBODY;
  }

  /**
   * A worker gave a job up because nobody waited for it, and by now somebody does: the job has not
   * failed, it waits again.
   */
  private runAgain(job: Job): readonly Peer[] {
    const worker = job.worker!;
    this.putBack(job);
    this.dispatcher.findWork(worker);
    this.dispatcher.offer(job.function_);
    return NOBODY;
  }

  /** A job is to run again after a while: until then it waits here for the sake of its clients or its late worker, or else in storage alone. */
  private retry(job: Job, delay: number, cause: FailedRun, why: Workload): void {
    this.listener.triedInVain?.(job, cause, why);
    job.attempts++;
    job.function_.stats.retried++;
    job.forgetProgress();
    if (clientsOf(job).length === 0 && !job.lateWorker) {
      this.remove(job);
      this.listener.parked?.(job, delay);
      return;
    }
    this.displace(job);
    if (delay > 0) this.delay(job, (fire) => this.clock.after(delay, fire));
    else this.enqueue(job);
    this.listener.requeued?.(job);
    this.dispatcher.offer(job.function_);
  }

  /** Forgets a job that storage keeps; nobody is told. */
  putAway(job: Job): void {
    for (const client of clientsOf(job)) this.forgetWait(client, job);
    this.remove(job);
  }

  /**
   * Forgets the youngest waiting jobs of a function and priority that storage
   * keeps and nobody waits for, until `keep` are left or none of them; answers
   * which, youngest first.
   */
  takeBack(function_: GearmanFunction, priority: Priority, keep: number): Job[] {
    const queue = function_.queues[priority];
    const taken: Job[] = [];
    for (let job = queue.tail; job && queue.length > keep;) {
      const older: Job | undefined = job.previous;
      if (job.isStored && clientsOf(job).length === 0) {
        this.remove(job);
        taken.push(job);
      }
      job = older;
    }
    return taken;
  }

  /** Takes a job out of everything that knows it. */
  private remove(job: Job): void {
    this.displace(job);
    job.lateWorker?.late.delete(job);
    job.lateWorker = undefined;
    const key = coalescingKey(job);
    if (key !== undefined && job.function_.uniques.get(key) === job) job.function_.uniques.delete(key);
    this.table.delete(job);
    job.state = 'ended';
  }

  /** Takes a job from where it is: its queue, its delay, its worker. */
  private displace(job: Job): void {
    if (job.state === 'waiting') this.functions.remove(job);
    else if (job.state === 'delayed') this.countDelayed(job, -1);
    else this.release(job);
    this.clock.cancel(job.timer);
    job.timer = undefined;
  }

  /** Takes a running job from its worker. */
  private release(job: Job): void {
    const { runningJobs, stats } = job.function_;
    runningJobs.remove(job);
    this.functions.running--;
    this.functions.touched.add(job.function_);
    stats.run.add(elapsed(job.since, this.clock.now));
    job.worker!.running.delete(job);
    job.worker = undefined;
    job.wasAbandoned = false;
    this.clock.cancel(job.timer);
    job.timer = undefined;
  }

  /**
   * A job ran too long: it waits again. If its worker reports about it before
   * another one has got it, the job is that worker's again, and both parts count
   * as one run.
   */
  timeOut(job: Job, timeout: number): void {
    const worker = job.worker!;
    job.lateWorker = worker;
    worker.late.set(job, timeout);
    this.requeue(job, 'timeouts');
    this.dispatcher.offer(job.function_);
    this.dispatcher.findWork(worker);
  }

  /** The late worker goes on with a job that waits: it runs there again, with as much time as it had. */
  goOnLate(job: Job): void {
    const worker = job.lateWorker!;
    const timeout = worker.late.get(job)!;
    this.displace(job);
    this.dispatcher.run(job, worker, timeout);
  }

  /**
   * The jobs of a worker wait again, {@link OFFERED_TOGETHER} of them before any
   * is offered: oldest first, or newest first where they go to the end of the
   * queue as with gearmand 1.1.
   */
  *requeueAll(jobs: Iterable<Job>, worker: Peer): Chore {
    const touched = new Set<GearmanFunction>();
    let count = 0;
    for (const job of this.options.order === '1.1' ? [...jobs].reverse() : jobs) {
      // The job may have ended or run out of its time meanwhile.
      if (job.worker !== worker) continue;
      this.requeue(job, 'lostWorkers');
      touched.add(job.function_);
      if (++count % OFFERED_TOGETHER === 0) this.offerAll(touched);
      yield;
    }
    this.offerAll(touched);
  }

  private offerAll(functions: Set<GearmanFunction>): void {
    for (const function_ of functions) {
      this.dispatcher.offer(function_);
      this.dispatcher.noticeIdle(function_);
    }
    functions.clear();
  }

  private requeue(job: Job, reason: keyof typeof LOSSES): void {
    job.losses++;
    job.function_.stats[reason]++;
    const retryAfter = job.isStored && !job.isCancelled ? this.listener.retryAfter?.(job, 'lost') : undefined;
    if (typeof retryAfter === 'number') this.retry(job, retryAfter, reason, LOSSES[reason]);
    else if (retryAfter === 'again') this.putBack(job, reason);
    else if (this.isGivenUp(job) || retryAfter === 'exhausted') this.giveUp(job, LOSSES[reason]);
    else if (job.isAbandoned) this.end(job, 'abandoned');
    else this.putBack(job, reason);
  }

  private isGivenUp(job: Job): boolean {
    const { jobRetries } = this.options;
    return job.isCancelled || (jobRetries > 0 && job.losses >= jobRetries);
  }

  private giveUp(job: Job, reason: string): void {
    const clients = this.end(job, job.isCancelled ? 'cancelled' : 'failed', reason);
    this.news.tellAll(job, clients, 'fail');
  }

  /** A lost job waits again: in its old place, or with gearmand 1.1's order at the end. */
  private putBack(job: Job, reason?: keyof typeof LOSSES): void {
    if (reason !== undefined) this.listener.triedInVain?.(job, reason, LOSSES[reason]);
    this.release(job);
    job.forgetProgress();
    job.state = 'waiting';
    job.since = shortTime(this.clock.now);
    job.function_.stats.requeued++;
    if (this.options.order === '1.1') {
      job.sequence = ++this.sequence;
      this.functions.push(job);
    } else {
      this.functions.insert(job);
    }
    this.listener.requeued?.(job);
  }

  inTurns(chore: Chore): void {
    this.chores.begin(chore);
  }

  drop(job: Job): void {
    this.end(job, 'abandoned');
  }
}

/** So many lost jobs of a worker are put back before the first of them is offered. */
const OFFERED_TOGETHER = 256;
