import assert from 'node:assert/strict';
import {
  Engine,
  Refusal,
  type Job,
  type JobSpec,
  type Peer,
  type Priority,
} from '../../../../../lib/job-server/engine/index.js';
import { expectAgreement } from './agreement.js';
import { PEERS, type Operation } from './operations.js';
import { PlayTime } from './play-time.js';
import { newPeer, Reference, type ReferenceJob, type ReferencePeer, type Rules } from './reference.js';
import { newJob, Witness, type Intent } from './witness.js';

/** The engine and the reference, led through the same operations. */
export class Play {
  readonly engine: Engine;
  readonly reference: Reference;
  readonly peers: Peer[] = [];
  /** The labels of all jobs that were accepted. */
  readonly accepted: string[] = [];
  private readonly witness: Witness;
  private readonly time: PlayTime;

  constructor(rules: Rules) {
    this.reference = new Reference(rules, (name) => this.engine.functions.find(name)!.number);
    this.witness = new Witness(this.reference, this.labelOf, (peer) => this.at(this.peers.indexOf(peer)));
    this.engine = new Engine({ ...rules, handlePrefix: 'H:' }, this.witness);
    this.time = new PlayTime(this.engine, this.peers, this.reference, () => this.agree());
    this.time.timeIs(0);
    for (let index = 0; index < PEERS; index++) this.join(index);
  }

  /** Does one thing, and looks whether engine and reference still agree. */
  step(operation: Operation): void {
    this.perform(operation);
    this.agree();
  }

  private agree(): void {
    this.witness.conclude();
    expectAgreement(this.engine, this.peers, this.reference);
  }

  private perform(operation: Operation): void {
    switch (operation.do) {
      case 'submit':
        return this.submit(operation);
      case 'restore':
        return this.restore(operation);
      case 'unpark':
        return this.unpark(operation.nth);
      case 'grab':
        return this.grab(operation.peer, operation.kind);
      case 'sleep':
        Object.assign(this.at(operation.peer), { isAsleep: true, isWoken: false });
        return this.engine.sleep(this.peers[operation.peer]!);
      case 'allYours':
        this.at(operation.peer).isPushed = true;
        return this.engine.allYours(this.peers[operation.peer]!);
      case 'canDo':
        return this.canDo(operation.peer, operation.name, operation.timeout);
      case 'cantDo':
        return this.giveUp(operation.peer, operation.name);
      case 'reset':
        return this.giveUp(operation.peer, undefined);
      case 'leave':
        return this.leave(operation.peer);
      case 'complete':
      case 'fail':
      case 'exception':
        return this.finish(operation.peer, operation.nth, operation.do);
      case 'data':
      case 'warning':
      case 'progress':
        return this.report(operation.peer, operation.nth, operation.do);
      case 'meddle':
        return this.meddle(operation.peer, operation.nth, operation.how);
      case 'cancel':
        return this.cancel(operation.nth);
      case 'pause':
        this.reference.paused.add(operation.name);
        return void this.engine.pause(operation.name);
      case 'resume':
        this.reference.paused.delete(operation.name);
        return this.engine.resume(operation.name);
      case 'drop':
        return this.drop(operation.name);
      case 'halt':
        this.reference.isHalted = true;
        return this.engine.halt();
      case 'proceed':
        this.reference.isHalted = false;
        return this.engine.proceed();
      case 'pass':
        return this.time.pass(operation.milliseconds);
      case 'setClock':
        return this.time.setClock(operation.by);
    }
  }

  // --- jobs come ---

  private submit(operation: Operation & { do: 'submit' }): void {
    const { name, unique, workload, priority, background, delay, peer } = operation;
    const key = keyOf(unique, workload);
    const joined = this.reference.findByKey(name, key);
    const at = this.witness.dateAfter(delay);
    const spec: JobSpec = { function: name, unique, workload, priority, isBackground: background, at };
    if (joined) this.join_(joined, background, this.at(peer));
    else this.witness.intent = { submission: { spec, key, client: this.at(peer) } };
    const taken = this.engine.submit(spec, this.peers[peer]);
    if (taken instanceof Refusal) throw new Error(`refused: ${taken.code}`);
    if (joined) assert.equal(this.labelOf(taken), joined.label);
    else this.accepted.push(this.labelOf(taken));
    const { wakeupsPerJob } = this.reference.rules;
    if (wakeupsPerJob > 0) assert.ok(this.witness.wakeups <= wakeupsPerJob);
  }

  private join_(job: ReferenceJob, background: boolean, client: ReferencePeer): void {
    if (background) job.isBackground = true;
    else job.clients.push(client);
    if (job.state === 'waiting') job.deadline = Infinity;
  }

  private restore({
    name,
    unique,
    priority,
    delay,
  }: {
    name: string;
    unique: string;
    priority: Priority;
    delay: number;
  }): void {
    const handle = `S:${this.accepted.length}`;
    const spec = { function: name, unique, workload: handle, priority, isBackground: true };
    const at = this.witness.dateAfter(delay);
    // Who comes from storage takes no key from another.
    const key = this.reference.findByKey(name, keyOf(unique, handle)) ? '' : keyOf(unique, handle);
    this.accepted.push(handle);
    this.reference.add({ ...newJob(handle, { ...spec, at }, key), isStored: true });
    assert.equal(this.engine.restore({ ...spec, at }, { handle, losses: 0, attempts: 0 }), true);
  }

  /** A job that waited for its retry outside comes back. */
  private unpark(nth: number): void {
    const { parked } = this.reference;
    const job = parked[nth % parked.length];
    if (!job) return;
    this.reference.parked = parked.filter((other) => other !== job);
    const isTaken = this.reference.findByKey(job.name, job.key) !== undefined;
    const { label: handle, name, priority, losses, attempts } = job;
    const spec = { function: name, unique: job.key, workload: handle, priority, isBackground: true, at: 0 };
    this.reference.add({ ...newJob(handle, spec, isTaken ? '' : job.key), isStored: true, losses, attempts });
    assert.equal(this.engine.restore(spec, { handle, losses, attempts }), true);
    assert.equal(this.engine.restore(spec, { handle, losses, attempts }), false);
  }

  // --- workers ---

  private grab(index: number, kind: 'plain' | 'unique' | 'all'): void {
    const peer = this.at(index);
    peer.isAsleep = peer.isWoken = false;
    const turn = this.reference.turn(peer)?.label;
    const answer = this.engine.grab(this.peers[index]!, kind);
    if (turn !== undefined) {
      assert.equal(typeof answer === 'object' && this.labelOf(answer), turn);
    } else if (peer.isPushed && peer.abilities.length > 0) {
      assert.equal(answer, 'kept');
      peer.kept.push(kind);
    } else {
      assert.equal(answer, undefined);
    }
  }

  private canDo(index: number, name: string, timeout: number): void {
    const { abilities } = this.at(index);
    const known = abilities.find((ability) => ability.name === name);
    if (known) known.timeout = timeout;
    else abilities.push({ name, timeout });
    assert.equal(this.engine.canDo(this.peers[index]!, name, timeout), undefined);
  }

  /** CANT_DO, or RESET_ABILITIES without a name. */
  private giveUp(index: number, name: string | undefined): void {
    const peer = this.at(index);
    const given = peer.abilities.filter((ability) => name === undefined || ability.name === name);
    peer.abilities = peer.abilities.filter((ability) => !given.includes(ability));
    const isLost = (job: ReferenceJob): boolean =>
      name === undefined || given.some((ability) => ability.name === job.name);
    // A pulling worker that gives everything up loses even what it runs of functions given up before: it has none.
    this.witness.intent = {
      lost: new Set(
        peer.isPushed
          ? []
          : this.reference
              .running(peer)
              .filter(isLost)
              .map(({ label }) => label),
      ),
      returning: peer.abilities.length === 0 ? peer : undefined,
    };
    if (name === undefined) this.engine.resetAbilities(this.peers[index]!);
    else this.engine.cantDo(this.peers[index]!, name);
    if (peer.abilities.length === 0) assert.deepEqual(peer.kept, []);
  }

  private leave(index: number): void {
    const peer = this.at(index);
    for (const job of this.reference.jobs) {
      this.reference.detach(job, peer);
      if (job.late === peer) job.late = undefined;
    }
    Object.assign(peer, { abilities: [], kept: [], isAsleep: false });
    this.witness.intent = { lost: new Set(this.reference.running(peer).map(({ label }) => label)) };
    this.engine.leave(this.peers[index]!);
    assert.deepEqual(this.reference.running(peer), []);
    this.join(index);
  }

  private join(index: number): void {
    const peer = newPeer(index);
    this.reference.peers[index] = peer;
    this.peers[index] = this.engine.join(this.witness.listenFor(peer, index % 2 === 0));
    this.peers[index].wantsExceptions = index % 2 === 0;
  }

  // --- results ---

  private finish(index: number, nth: number, how: 'complete' | 'fail' | 'exception'): void {
    const job = this.jobOf(index, nth);
    if (!job) return;
    const isRetried = how !== 'complete' && typeof this.reference.retryAfter(job) === 'number';
    const outcome = how === 'complete' ? 'completed' : 'failed';
    this.witness.intent = { takingUp: this.takingUp(job, index) };
    if (!isRetried) this.witness.intent.ending = { label: job.label, outcome, end: how };
    const refusal = how === 'fail' ? this.engine.fail(this.peers[index]!, job.label) : this.say(index, job.label, how);
    assert.equal(refusal, undefined);
    if (!isRetried) assert.ok(!this.reference.jobs.includes(job));
  }

  private report(index: number, nth: number, what: 'data' | 'warning' | 'progress'): void {
    const job = this.jobOf(index, nth);
    if (!job) return;
    this.witness.intent = { takingUp: this.takingUp(job, index) };
    assert.equal(this.say(index, job.label, what), undefined);
    assert.equal(job.worker, this.at(index));
    const hearers = job.clients;
    assert.deepEqual(
      this.witness.news,
      hearers.map((peer) => ({ peer, label: job.label })),
    );
  }

  private takingUp(job: ReferenceJob, index: number): string | undefined {
    return job.late === this.at(index) ? job.label : undefined;
  }

  /** Says something of a job that is not its own; or cancels one it waits for. */
  private meddle(index: number, nth: number, how: 'complete' | 'fail' | 'exception' | 'data'): void {
    const peer = this.at(index);
    const strange = this.reference.jobs.filter((job) => job.worker !== peer && job.late !== peer);
    const job = strange[nth % strange.length];
    if (!job) return void assert.equal(this.say(index, 'H:0', how)?.code, 'JOB_NOT_FOUND');
    const isAwaited = how === 'fail' && job.clients.includes(peer);
    if (isAwaited) this.reference.detach(job, peer);
    assert.equal(this.say(index, job.label, how)?.code, isAwaited ? undefined : 'JOB_NOT_FOUND');
  }

  private say(index: number, label: string, what: 'complete' | 'fail' | 'exception' | 'data' | 'warning' | 'progress') {
    const peer = this.peers[index]!;
    if (what === 'fail') return this.engine.fail(peer, label);
    return what === 'progress' ? this.engine.progress(peer, label, '1', '2') : this.engine[what](peer, label, 'bytes');
  }

  private cancel(nth: number): void {
    const { jobs } = this.reference;
    const job = jobs[nth % jobs.length];
    if (!job) return;
    if (job.state === 'running') job.isCancelled = true;
    else this.witness.intent = { ending: { label: job.label, outcome: 'cancelled', end: 'fail' } };
    assert.equal(this.engine.cancel(job.label), true);
  }

  private drop(name: string): void {
    const isKnown = this.engine.functions.find(name) !== undefined;
    const isBusy =
      this.reference.jobs.some((job) => job.name === name) ||
      this.reference.peers.some(({ abilities }) => abilities.some((ability) => ability.name === name));
    const code = this.engine.dropFunction(name)?.code;
    assert.equal(code, isKnown ? (isBusy ? 'BUSY' : undefined) : 'NOT_FOUND');
    if (code === undefined) this.reference.paused.delete(name);
  }

  // --- inside ---

  private jobOf(index: number, nth: number): ReferenceJob | undefined {
    const peer = this.at(index);
    const own = this.reference.jobs.filter((job) => job.worker === peer || job.late === peer);
    return own[nth % own.length];
  }

  private at(index: number): ReferencePeer {
    return this.reference.peers[index]!;
  }

  private readonly labelOf = (job: Job): string => this.engine.handleOf(job);

  /** Everything that waits is done by one worker, and nobody is left. */
  finale(): Intent | void {
    for (const name of ['f', 'g', 'h']) this.step({ do: 'resume', name });
    this.step({ do: 'proceed' });
    for (let index = 0; index < PEERS; index++) this.step({ do: 'leave', peer: index });
    for (const name of ['f', 'g', 'h']) this.step({ do: 'canDo', peer: 0, name, timeout: 0 });
    while (this.reference.parked.length > 0) this.step({ do: 'unpark', nth: 0 });
    this.step({ do: 'setClock', by: this.time.untilLastDate });
    this.step({ do: 'pass', milliseconds: 100_000 });
    while (this.reference.jobs.length > 0) {
      this.step({ do: 'grab', peer: 0, kind: 'plain' });
      this.step({ do: 'complete', peer: 0, nth: 0 });
    }
    this.step({ do: 'leave', peer: 0 });
    for (const name of ['f', 'g', 'h']) if (this.engine.functions.find(name)) this.step({ do: 'drop', name });
  }
}

function keyOf(unique: string, workload: string): string {
  if (unique !== '-') return unique;
  return workload === '' ? '' : `-${workload}`;
}
