import assert from 'node:assert/strict';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Engine, Job } from '../../../../lib/job-server/engine/index.js';
import type { Packing } from '../../../../lib/job-server/engine/job-queue.js';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';
import { runs } from '../../../support/runs.js';

/** Set SEED to play a failure again. */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Few jobs are packed already, so that every operation meets packs. */
const SOON: Packing = { from: 6, size: 4 };
const NEVER: Packing = { from: Infinity, size: 4 };
const WORKERS = 3;

const nth = fc.nat(40);
const name = fc.constantFrom('f', 'f', 'f', 'g');
const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('queue' as const), name, count: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      name,
      unique: fc.constantFrom('', 'u', 'v', '-'),
      priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
      background: fc.boolean(),
      delay: fc.constantFrom(0, 0, 500),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('grab' as const), worker: fc.nat(WORKERS - 1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('complete' as const), worker: fc.nat(WORKERS - 1), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), worker: fc.nat(WORKERS - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('find' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), name, count: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), milliseconds: fc.constantFrom(1, 500, 4_000) }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

/** An engine that is led through operations, and what all that can be seen of it is. */
class Story {
  private readonly scene: EngineScene;
  private readonly workers: ScenePeer[] = [];
  private readonly heard: string[] = [];
  private readonly held: string[][] = [];
  private readonly labels: string[] = [];
  private readonly client: ScenePeer;

  constructor(order: '1.1' | '2.0', packing: Packing) {
    this.scene = new EngineScene({ order, packing });
    this.client = this.scene.client();
    for (let index = 0; index < WORKERS; index++) this.join(index);
  }

  get engine(): Engine {
    return this.scene.engine;
  }

  step(operation: Operation): void {
    switch (operation.do) {
      case 'queue':
        for (let count = 0; count < operation.count; count++) this.submit(operation.name, { background: true });
        return;
      case 'submit':
        return this.submit(operation.name, {
          ...operation,
          at: operation.delay && this.scene.date + operation.delay,
        });
      case 'grab':
        return this.grab(operation.worker);
      case 'complete':
        return this.complete(operation.worker, operation.nth);
      case 'leave':
        this.workers[operation.worker]!.leave();
        return this.join(operation.worker);
      case 'cancel':
        return this.note(this.engine.cancel(this.handle(operation.nth)));
      case 'find': {
        const job = this.engine.find(this.handle(operation.nth));
        return this.note(job && viewOf(this.engine, job));
      }
      case 'purge': {
        const function_ = this.engine.functions.find(operation.name);
        return this.note(function_ && this.engine.purge(function_, operation.count));
      }
      case 'pass':
        return this.scene.pass(operation.milliseconds);
    }
  }

  /** What there is, and what happened since it was last looked at. */
  look(): object {
    this.scene.workOff();
    const { engine } = this;
    const functions = [...engine.functions].map((function_) => ({
      name: function_.name,
      waiting: function_.waiting,
      oldest: engine.oldestWaiting(function_),
      queues: function_.queues.map((queue) => [...queue].map((job) => viewOf(engine, job))),
      lengths: function_.queues.map(({ length }) => length),
    }));
    return {
      functions,
      jobs: Array.from(engine.jobs(), (job) => viewOf(engine, job)),
      count: engine.jobCount,
      events: this.scene.events.splice(0),
      heard: this.heard.splice(0),
      client: this.client.heard(),
      workers: this.workers.map((worker) => worker.heard()),
    };
  }

  /** Takes all that is left, one after the other. */
  finish(): string[] {
    this.scene.pass(1_000);
    return this.workers[0]!.grabAll();
  }

  private submit(name: string, submission: Parameters<ScenePeer['submit']>[2]): void {
    const label = `${name}${this.labels.length}`;
    this.labels.push(label);
    this.note(this.client.submit(name, label, submission));
  }

  private grab(index: number): void {
    const label = this.workers[index]!.grab();
    if (label !== 'NO_JOB') this.held[index]!.push(label);
    this.note(label);
  }

  private complete(index: number, nth: number): void {
    const held = this.held[index]!;
    const [label] = held.splice(nth % held.length, 1);
    if (label !== undefined) this.note(this.workers[index]!.complete(label, 'done'));
  }

  private join(index: number): void {
    this.workers[index] = this.scene.worker('g');
    this.workers[index].canDo('f', 3_000);
    this.held[index] = [];
  }

  private handle(nth: number): string {
    return this.scene.handle(this.labels[nth % this.labels.length] ?? '');
  }

  private note(what: unknown): void {
    this.heard.push(JSON.stringify(what) ?? 'nothing');
  }
}

function viewOf(engine: Engine, job: Job): object {
  const { id, state, workload, unique, priority, isBackground, readySince, since, sequence, losses } = job;
  const clients = job.clients?.length ?? 0;
  const handle = engine.handleOf(job);
  return { id, handle, state, workload, unique, priority, isBackground, readySince, since, sequence, losses, clients };
}

/** How many jobs of an engine stand in packs. */
function packedIn(engine: Engine): number {
  let packed = 0;
  for (const { queues } of engine.functions) {
    for (const { head } of queues) {
      for (let job = head; job; job = job.next) packed += job.pack?.count ?? 0;
    }
  }
  return packed;
}

describe(`an engine that packs its waiting jobs (SEED=${SEED})`, () => {
  it('is like one that does not, whatever happens to them', () => {
    let seen = 0;
    const stories = fc.array(operation, { minLength: 1, maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(fc.constantFrom('1.1' as const, '2.0' as const), stories, (order, script) => {
        const packing = new Story(order, SOON);
        const plain = new Story(order, NEVER);
        for (const operation of script) {
          packing.step(operation);
          plain.step(operation);
          assert.deepEqual(packing.look(), plain.look());
          seen += packedIn(packing.engine);
        }
        expect(packedIn(plain.engine)).toBe(0);
        expect(packing.finish()).toEqual(plain.finish());
      }),
      { seed: SEED, ...runs(15) },
    );
    expect(seen).toBeGreaterThan(0);
  });

  it('packs most of a long queue, whose jobs can be listed and found like all others', () => {
    const scene = new EngineScene();
    const labels = Array.from({ length: 10_000 }, (_, index) => `job ${index}`);
    scene.queue('f', ...labels);
    expect(packedIn(scene.engine)).toBeGreaterThan(9_000);
    expect(Array.from(scene.engine.jobs(), ({ workload }) => workload)).toEqual(labels);
    expect(packedIn(scene.engine)).toBeGreaterThan(9_000);
    expect(scene.job('job 5000')?.workload).toBe('job 5000');
    expect(scene.engine.cancel(scene.handle('job 6000'))).toBe(true);
    expect(scene.worker('f').grabAll()).toEqual(labels.filter((label) => label !== 'job 6000'));
  });

  it('puts a job back in its old place among those that were packed meanwhile', () => {
    const scene = new EngineScene({ packing: SOON });
    const labels = Array.from({ length: 60 }, (_, index) => `job ${index}`);
    const elsewhere = scene.worker();
    for (const label of labels) {
      scene.queue('f', label);
      if (Number(label.slice(4)) % 10 === 9) scene.engine.lend(scene.job(label)!, elsewhere.peer);
    }
    for (const index of [39, 9, 29, 19]) scene.engine.takeOver(scene.engine.find(scene.handle(`job ${index}`))!);
    expect(packedIn(scene.engine)).toBeGreaterThan(0);
    const lent = ['job 49', 'job 59'];
    expect(scene.worker('f').grabAll()).toEqual(labels.filter((label) => !lent.includes(label)));
  });

  it('packs only what a pack keeps all of', () => {
    const scene = new EngineScene({ packing: SOON });
    const client = scene.client();
    for (let index = 0; index < 100; index++) {
      client.submit('foreground', `f${index}`);
      client.submit('unique', `u${index}`, { background: true, unique: `u${index}` });
      scene.engine.submit(specOf('large', 'x'.repeat(10_000)));
      scene.engine.submit({ ...specOf('described', 'x'), metadata: '{}' });
      scene.engine.submit({ ...specOf('reduced', 'x'), reducer: 'r' });
      scene.engine.restore(specOf('stored', 'x'), { handle: `H:x:${index}`, losses: 0, attempts: 0 });
    }
    expect(packedIn(scene.engine)).toBe(0);
  });
});

function specOf(name: string, workload: string) {
  return { function: name, unique: '', workload, priority: 1 as const, isBackground: true, at: 0 };
}
