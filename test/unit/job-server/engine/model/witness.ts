import assert from 'node:assert/strict';
import type {
  EngineListener,
  GrabKind,
  Job,
  JobSpec,
  Outcome,
  Peer,
  PeerListener,
} from '../../../../../lib/job-server/engine/index.js';
import type { Reference, ReferenceJob, ReferencePeer } from './reference.js';

/** How a client hears of an end. */
export type End = 'complete' | 'fail' | 'exception';

/** What the operation under way asks the engine to do. */
export interface Intent {
  /** A submission of a new job. */
  submission?: { spec: JobSpec; key: string; client: ReferencePeer | undefined };
  /** The job to be ended, how, and how its clients hear of it. */
  ending?: { label: string; outcome: Outcome; end: End };
  /** The jobs that lose their worker. */
  lost?: Set<string>;
  /** The job that its late worker goes on with. */
  takingUp?: string;
  /** The worker whose kept grabs are given back. */
  returning?: ReferencePeer;
}

/**
 * Hears everything the engine says, and holds each word against the reference:
 * whether it is right at that moment, and what changes by it.
 */
export class Witness implements EngineListener {
  intent: Intent = {};
  /** NOOPs since the operation began. */
  wakeups = 0;
  /** Who heard of data, warnings and progress since the operation began. */
  news: { peer: ReferencePeer; label: string }[] = [];
  private readonly retries = new Map<string, number>();
  private fractions = 0;

  constructor(
    private readonly reference: Reference,
    private readonly labelOf: (job: Job) => string,
    private readonly referenceOf: (peer: Peer) => ReferencePeer,
  ) {}

  /** A date to come that no other job has: so at each moment at most one delayed job wakes up. */
  dateAfter(delay: number): number {
    return this.momentAfter(this.reference.date, delay);
  }

  private momentAfter(moment: number, delay: number): number {
    return delay === 0 ? moment : Math.floor(moment) + delay + ++this.fractions / 8_192;
  }

  /** Nothing that was to happen is left out. */
  conclude(): void {
    assert.deepEqual([...(this.intent.lost ?? [])], []);
    assert.equal(this.intent.submission, undefined);
    assert.equal(this.intent.takingUp, undefined);
    assert.deepEqual(this.reference.owed, []);
    assert.equal(this.retries.size, 0);
    this.intent = {};
    this.wakeups = 0;
    this.news = [];
  }

  // --- what the engine tells the job server ---

  due(at: number): void {
    assert.ok(at > this.reference.now);
  }

  submitted(job: Job): void {
    const { spec, key, client } = this.intent.submission!;
    this.intent.submission = undefined;
    this.reference.add({
      ...newJob(this.labelOf(job), spec, key),
      clients: !spec.isBackground && client ? [client] : [],
    });
  }

  assigned(job: Job, worker: Peer): void {
    const peer = this.referenceOf(worker);
    if (this.intent.takingUp === this.labelOf(job)) {
      this.intent.takingUp = undefined;
      assert.equal(this.find(job).late, peer);
      return this.reference.run(this.find(job), peer);
    }
    assert.equal(this.reference.turn(peer)?.label, this.labelOf(job));
    this.reference.start(this.find(job), peer);
  }

  retryAfter(job: Job): number | 'exhausted' | undefined {
    const { now } = this.reference;
    const retryAfter = this.reference.retryAfter(this.find(job));
    if (typeof retryAfter !== 'number') return retryAfter;
    const delay = this.momentAfter(now, retryAfter) - now;
    this.retries.set(this.labelOf(job), delay);
    return delay;
  }

  requeued(job: Job): void {
    const found = this.find(job);
    const fate = this.fateOf(found);
    const retryAfter = this.takeRetry(found);
    if (retryAfter === undefined) {
      assert.equal(fate, 'requeued');
      this.reference.putBack(found);
    } else {
      assert.ok(found.clients.length > 0 || found.late !== undefined);
      this.reference.retry(found, retryAfter);
    }
  }

  parked(job: Job, delay: number): void {
    const found = this.find(job);
    this.fateOf(found);
    assert.equal(this.takeRetry(found), delay);
    assert.deepEqual([found.clients, found.late], [[], undefined]);
    this.reference.park(found);
  }

  ended(job: Job, outcome: Outcome): void {
    const found = this.find(job);
    const { ending } = this.intent;
    if (ending?.label === found.label) {
      assert.equal(outcome, ending.outcome);
    } else if (this.isLost(found)) {
      assert.equal(outcome, this.fateOf(found));
    } else {
      assert.equal(outcome, 'abandoned');
      assert.equal(this.reference.isAbandoned(found), true);
      assert.notEqual(found.state, 'running');
    }
    this.reference.end(found, outcome);
  }

  // --- what it tells a peer ---

  listenFor(peer: ReferencePeer, wantsExceptions: boolean): PeerListener {
    const end = (job: Job, how: End): void => {
      const label = this.labelOf(job);
      const due = this.intent.ending?.label === label ? this.intent.ending.end : 'fail';
      assert.equal(how, due === 'exception' && !wantsExceptions ? 'fail' : due);
      const at = this.reference.owed.findIndex((owed) => owed.peer === peer && owed.label === label);
      assert.ok(at >= 0);
      this.reference.owed.splice(at, 1);
    };
    const hear = (job: Job): void => void this.news.push({ peer, label: this.labelOf(job) });
    return {
      wake: () => this.wake(peer),
      assign: (job, kind) => this.assign(peer, job, kind),
      noJob: () => {
        assert.equal(this.intent.returning, peer);
        assert.notEqual(peer.kept.shift(), undefined);
      },
      abandoned: () => assert.fail('nobody asked for it'),
      data: hear,
      warning: hear,
      progress: hear,
      complete: (job) => end(job, 'complete'),
      fail: (job) => end(job, 'fail'),
      exception: (job) => end(job, 'exception'),
    };
  }

  private wake(peer: ReferencePeer): void {
    assert.deepEqual([peer.isAsleep, peer.isWoken, this.reference.isFull(peer)], [true, false, false]);
    const doable = peer.abilities.filter(({ name }) => !this.reference.paused.has(name));
    assert.equal(
      doable.some(({ name }) => this.reference.waiting(name).length > 0),
      true,
    );
    assert.equal(this.reference.isHalted, false);
    peer.isWoken = true;
    this.wakeups++;
  }

  private assign(peer: ReferencePeer, job: Job, kind: GrabKind): void {
    assert.equal(peer.kept.shift(), kind);
    assert.equal(this.find(job).worker, peer);
  }

  // --- lost jobs ---

  private isLost(job: ReferenceJob): boolean {
    return (this.intent.lost?.has(job.label) ?? false) || hasTimedOut(job, this.reference.now);
  }

  /** What is to become of a job that lost its worker, which it hereby has; undefined when it failed. */
  private fateOf(job: ReferenceJob): string | undefined {
    if (!this.isLost(job)) return undefined;
    const fate = this.reference.fateOfLost(job);
    if (hasTimedOut(job, this.reference.now)) job.late = job.worker;
    this.intent.lost?.delete(job.label);
    job.losses++;
    return fate;
  }

  private takeRetry(job: ReferenceJob): number | undefined {
    const delay = this.retries.get(job.label);
    if (delay === undefined) return undefined;
    this.retries.delete(job.label);
    job.attempts++;
    return delay;
  }

  private find(job: Job): ReferenceJob {
    return this.reference.job(this.labelOf(job));
  }
}

function hasTimedOut(job: ReferenceJob, now: number): boolean {
  return job.state === 'running' && job.deadline <= now;
}

/** A job as it begins, before anybody waits for it. */
export function newJob(label: string, spec: JobSpec, key: string): ReferenceJob {
  return {
    label,
    name: spec.function,
    priority: spec.priority,
    key,
    isStored: false,
    isBackground: spec.isBackground,
    state: 'waiting',
    at: spec.at,
    sequence: 0,
    losses: 0,
    attempts: 0,
    isCancelled: false,
    clients: [],
    worker: undefined,
    late: undefined,
    limit: 0,
    deadline: Infinity,
  };
}
