import { jest } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import type { Clocks } from '../../../../lib/ground/alarm.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import type { Priority } from '../../../../lib/job-server/engine/index.js';
import {
  Refusal,
  type Job,
  type JobSpec,
  type Peer,
  type PeerListener,
} from '../../../../lib/job-server/engine/index.js';
import { Answer, type Submitted } from '../../../../lib/job-server/durable/index.js';
import { WaywardStorage } from './wayward-storage.js';

/** One thing that happens in a {@link DurableWorld}. */
export type Happening =
  | {
      readonly do: 'submit';
      readonly function: string;
      readonly unique: string;
      readonly priority: Priority;
      readonly isBackground: boolean;
      readonly isLater: boolean;
      readonly who: number;
    }
  | { readonly do: 'answer' | 'refuse' | 'complete' | 'fail' | 'cancel'; readonly which: number }
  | { readonly do: 'grab' | 'lose' | 'leave'; readonly who: number }
  | { readonly do: 'setClock'; readonly by: number }
  | { readonly do: 'wait' | 'stop' | 'crash' };

/** A submission and what became of it. */
interface Submission {
  readonly spec: JobSpec;
  readonly client: Client;
  /** Of the run of the job server it was submitted in. */
  readonly run: number;
  answer: Submitted | undefined;
}

/** A job that was given out. */
interface Running {
  readonly handle: string;
  readonly worker: Peer;
}

const LATER = 5_000;
const FUNCTIONS = ['f', 'g'];

/** Who waits for results, and counts them. */
class Client implements PeerListener {
  peer!: Peer;
  /** How often it was told of each job's end, by handle. */
  readonly ends = new Map<string, number>();

  constructor(private readonly handleOf: (job: Job) => string) {}

  wake(): void {}
  assign(): void {}
  noJob(): void {}
  abandoned(): void {}
  data(): void {}
  warning(): void {}
  progress(): void {}
  complete(job: Job): void {
    this.count(job);
  }
  fail(job: Job): void {
    this.count(job);
  }
  exception(job: Job): void {
    this.count(job);
  }

  private count(job: Job): void {
    const handle = this.handleOf(job);
    this.ends.set(handle, (this.ends.get(handle) ?? 0) + 1);
  }
}

/**
 * A job server, its clients and workers, and a storage that answers when it is
 * told to. It writes down what was promised and what was done, and complains.
 */
export class DurableWorld {
  readonly complaints: string[] = [];
  private server!: JobServer;
  private run = 0;
  private clients: Client[] = [];
  private workers: Peer[] = [];
  private submissions: Submission[] = [];
  private running: Running[] = [];
  /** How far the clock of dates is ahead of the other one, now and at most. */
  private ahead = 0;
  private furthest = 0;
  private readonly executed = new Set<string>();
  private readonly ended = new Set<string>();

  private constructor(
    private storage: WaywardStorage,
    private readonly window: number,
  ) {}

  static async begin(storage: { isEager: boolean; isShared: boolean }, window: number): Promise<DurableWorld> {
    const world = new DurableWorld(new WaywardStorage(storage.isEager, storage.isShared), window);
    await world.start();
    return world;
  }

  async let(happening: Happening): Promise<void> {
    switch (happening.do) {
      case 'submit':
        this.submit(happening);
        break;
      case 'answer':
        if (this.storage.openCount > 0) this.storage.answer(happening.which);
        break;
      case 'refuse':
        if (this.storage.openCount > 0) this.storage.refuse(happening.which);
        break;
      case 'grab':
        this.grab(this.workers[happening.who % this.workers.length]!);
        break;
      case 'complete':
      case 'fail':
        this.report(happening.which, happening.do);
        break;
      case 'lose':
        this.lose(happening.who % this.workers.length);
        break;
      case 'leave':
        this.leave(happening.who % this.clients.length);
        break;
      case 'cancel':
        this.cancel(happening.which);
        break;
      case 'setClock':
        this.ahead += happening.by;
        this.furthest = Math.max(this.furthest, this.ahead);
        break;
      case 'wait':
        jest.advanceTimersByTime(LATER);
        break;
      case 'stop':
        await this.stop();
        await this.start();
        break;
      case 'crash':
        await this.crash();
        break;
    }
    await settle();
  }

  /** What must be true at every moment. */
  checkNow(): void {
    for (const { spec, answer } of this.submissions) {
      if (!spec.isBackground || typeof answer !== 'string') continue;
      if (!this.storage.isDurable(answer) && !this.ended.has(answer))
        this.complain(`${answer} is promised, not durable`);
    }
  }

  /** Lets everything come to its end: the disk answers, the time passes, workers work. */
  async comeToRest(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      if (await this.makeProgress()) quiet = -1;
    }
  }

  /** What must be true when nothing is left to do. */
  checkAtRest(): void {
    for (const submission of this.submissions) this.checkSubmission(submission);
    const { engine } = coreOf(this.server);
    if (engine.jobCount > 0) this.complain(`${engine.jobCount} jobs are left`);
    const counts = this.storage.counts();
    if (counts.length > 0) this.complain(`the storage has jobs left: ${JSON.stringify(counts)}`);
    for (const function_ of engine.functions) {
      const { name, total, stored, delayed } = function_;
      if (total !== 0)
        this.complain(`${name} counts ${total} jobs, stored ${stored.join()}, delayed ${delayed.join()}`);
    }
  }

  async end(): Promise<void> {
    await this.stop();
  }

  // --- what happens ---

  private async start(): Promise<void> {
    this.run++;
    const policies = { g: { retries: 1, backoff: { initialDelay: LATER / 5, jitter: 0 }, deadLetter: false } };
    const options = { listeners: [], storage: this.storage, window: this.window, policies };
    this.server = new JobServer(options, this.clocks());
    for (const event of ['completed', 'failed', 'cancelled'] as const) {
      this.server.on(event, ({ handle }) => this.ended.add(handle));
    }
    await this.server.start();
    this.clients = [this.newClient(), this.newClient()];
    this.workers = [this.newWorker(), this.newWorker()];
    this.running = [];
  }

  private clocks(): Clocks {
    const aheadOf = (now: number): number => now + this.ahead;
    return {
      get now() {
        return Date.now();
      },
      get date() {
        return aheadOf(Date.now());
      },
    };
  }

  private async stop(): Promise<void> {
    for (const { peer } of this.clients) coreOf(this.server).engine.leave(peer);
    const preparing = coreOf(this.server).storedJobs!.prepareClose();
    await preparing;
    for (const worker of this.workers) coreOf(this.server).engine.leave(worker);
    await this.server.stop();
    await settle();
  }

  private async crash(): Promise<void> {
    const { storage } = this;
    this.storage = await storage.crashed();
    // The old process says nothing any more; its answers to submissions are lost.
    await this.start();
  }

  private submit({ function: name, unique, priority, isBackground, isLater, who }: Happening & { do: 'submit' }): void {
    const client = this.clients[who % this.clients.length]!;
    const at = isLater && isBackground ? Date.now() + this.ahead + LATER / 2 : 0;
    // A workload that is its own unique must come again to coalesce.
    const workload = unique === '-' ? 'same' : `workload ${this.submissions.length}`;
    const spec: JobSpec = { function: name, unique, workload, priority, isBackground, at };
    const submission: Submission = { spec, client, run: this.run, answer: undefined };
    this.submissions.push(submission);
    coreOf(this.server).tick();
    const answer = coreOf(this.server).submit(spec, client.peer);
    const { run } = this;
    const answered = (submitted: Submitted): void => {
      if (run === this.run) submission.answer = submitted;
    };
    if (answer instanceof Answer) answer.hear(answered);
    else answered(answer);
  }

  private grab(worker: Peer): boolean {
    coreOf(this.server).tick();
    const job = coreOf(this.server).engine.grab(worker, 'plain');
    if (!job || job === 'kept') return false;
    const handle = coreOf(this.server).engine.handleOf(job);
    if (this.isRefused(job)) this.complain(`${handle} runs though its submission was refused`);
    if (this.ended.has(handle)) this.complain(`${handle} runs after its end`);
    if (this.running.some((other) => other.handle === handle)) this.complain(`${handle} runs twice at once`);
    this.executed.add(handle);
    this.running.push({ handle, worker });
    return true;
  }

  private report(which: number, how: 'complete' | 'fail'): void {
    if (this.running.length === 0) return;
    const [{ handle, worker }] = this.running.splice(which % this.running.length, 1) as [Running];
    coreOf(this.server).tick();
    if (how === 'complete') coreOf(this.server).engine.complete(worker, handle, 'done');
    else coreOf(this.server).engine.fail(worker, handle);
  }

  private lose(index: number): void {
    const worker = this.workers[index]!;
    coreOf(this.server).tick();
    coreOf(this.server).engine.leave(worker);
    this.running = this.running.filter((each) => each.worker !== worker);
    this.workers[index] = this.newWorker();
  }

  private leave(index: number): void {
    coreOf(this.server).engine.leave(this.clients[index]!.peer);
    this.clients[index] = this.newClient();
  }

  private cancel(which: number): void {
    const handles = this.submissions.flatMap(({ answer }) => (typeof answer === 'string' ? [answer] : []));
    const handle = handles[which % handles.length];
    if (handle === undefined) return;
    if (coreOf(this.server).engine.cancel(handle)) return;
    void coreOf(this.server)
      .storedJobs!.cancel(handle)
      .then((isCancelled) => isCancelled && this.ended.add(handle));
  }

  // --- coming to rest ---

  private async makeProgress(): Promise<boolean> {
    let progress = this.storage.openCount > 0;
    this.storage.answerAll();
    await settle();
    for (const worker of this.workers) while (this.grab(worker)) progress = true;
    while (this.running.length > 0) this.report(0, 'complete');
    // Whatever the clock was set to when a job was given its time, that comes.
    this.ahead = this.furthest;
    jest.advanceTimersByTime(LATER * 20);
    await settle();
    return progress;
  }

  private checkSubmission({ spec, client, run, answer }: Submission): void {
    const isOurs = run === this.run && !client.peer.isGone;
    if (answer === undefined) {
      if (isOurs) this.complain(`a submission of ${spec.function} ${spec.unique} was never answered`);
    } else if (typeof answer === 'string' && spec.isBackground) {
      if (!this.ended.has(answer)) this.complain(`${answer} was promised and did not end`);
    } else if (typeof answer === 'string' && isOurs) {
      const awaited = this.submissions.filter((other) => isSame(other, client, answer)).length;
      const told = client.ends.get(answer) ?? 0;
      if (told !== awaited) this.complain(`a client that waited ${awaited} times for ${answer} was told ${told} times`);
    }
  }

  /** Whether a job is of a submission that was refused. */
  private isRefused({ unique, workload }: Job): boolean {
    // Only of a job without a unique is it certain that nobody else wanted it.
    const submission = this.submissions.find(({ spec }) => unique === '' && spec.workload === workload);
    return submission?.answer instanceof Refusal;
  }

  private newClient(): Client {
    const client = new Client((job) => coreOf(this.server).engine.handleOf(job));
    client.peer = coreOf(this.server).engine.join(client);
    return client;
  }

  private newWorker(): Peer {
    const worker = coreOf(this.server).engine.join(new Client((job) => coreOf(this.server).engine.handleOf(job)));
    for (const name of FUNCTIONS) coreOf(this.server).engine.canDo(worker, name);
    return worker;
  }

  private complain(what: string): void {
    this.complaints.push(what);
  }
}

/** Whether a submission is this client's, for this job, to be waited for. */
function isSame({ spec, client, answer }: Submission, other: Client, handle: string): boolean {
  return client === other && answer === handle && !spec.isBackground;
}

/** Lets all promises and what the storage tells come through. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
