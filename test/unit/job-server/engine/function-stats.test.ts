import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FunctionStats, GearmanFunction } from '../../../../lib/job-server/engine/index.js';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';
import { runs } from '../../../support/runs.js';

/** Half a second before 32 bits end. */
const START = 400 * 2 ** 32 + 2 ** 31 - 500;

/** A scene at that time, with a worker of `f`. */
function newScene(): { scene: EngineScene; worker: ScenePeer; client: ScenePeer } {
  const scene = new EngineScene();
  scene.pass(START - scene.now);
  return { scene, worker: scene.worker('f'), client: scene.client() };
}

function ofFunction(scene: EngineScene, name = 'f'): GearmanFunction {
  return scene.engine.functions.find(name)!;
}

function ages(scene: EngineScene): { oldest: number; longest: number } {
  const function_ = ofFunction(scene);
  return { oldest: scene.engine.oldestWaiting(function_), longest: function_.longestRunning(scene.now) };
}

/** How many jobs came, and how many are accounted for. */
function balance({ stats, total }: GearmanFunction): { came: number; are: number } {
  const { foreground, background, restored, replayed } = stats;
  const { completed, failed, buried, cancelled, abandoned } = stats;
  return {
    came: foreground + background + restored + replayed,
    are: completed + failed + buried + cancelled + abandoned + total,
  };
}

describe('the ages of a function', () => {
  it('rise while nothing moves, over the end of 32 bits as well, and fall to 0 when nothing waits or runs', () => {
    const { scene, worker, client } = newScene();
    expect(ages(scene)).toEqual({ oldest: 0, longest: 0 });
    client.submit('f', 'a');
    client.submit('f', 'b', { priority: 'high' });
    scene.pass(1_000);
    expect(ages(scene)).toEqual({ oldest: 1_000, longest: 0 });
    worker.grab();
    scene.pass(500);
    expect(ages(scene)).toEqual({ oldest: 1_500, longest: 500 });
    worker.grab();
    scene.pass(1);
    expect(ages(scene)).toEqual({ oldest: 0, longest: 501 });
    worker.complete('b');
    expect(ages(scene)).toEqual({ oldest: 0, longest: 1 });
  });

  it('are right for seven weeks, also of a job that was old when it came from storage', () => {
    const { scene, client } = newScene();
    client.submit('f', 'a');
    const day = 86_400_000;
    scene.pass(48 * day);
    expect(ages(scene).oldest).toBe(48 * day);
    const stored = { function: 'g', unique: '', workload: 'x', priority: 1, isBackground: true, at: 0 } as const;
    scene.engine.restore(stored, { handle: 'H:old:1', losses: 0, attempts: 0 }, 20 * day);
    scene.engine.restore({ ...stored, function: 'h' }, { handle: 'H:old:2', losses: 0, attempts: 0 }, 900 * day);
    scene.pass(day);
    const oldest = (name: string): number => scene.engine.oldestWaiting(ofFunction(scene, name));
    expect(oldest('g')).toBe(21 * day);
    // No older than 24.8 days, to be told for as long again.
    expect(oldest('h')).toBe(2 ** 31 - 1 + day);
    scene.worker('h').grab();
    expect(ofFunction(scene, 'h').stats.wait.value([31, 32], 1)).toMatchObject({ cumulative: [0, 1], count: 1 });
  });

  it('are kept by a job whose worker was lost, and begin when a delayed one is ready', () => {
    const { scene, worker, client } = newScene();
    client.submit('f', 'a');
    scene.pass(300);
    worker.grab();
    scene.pass(300);
    worker.leave();
    expect(ages(scene)).toEqual({ oldest: 600, longest: 0 });
    const another = scene.worker('f');
    another.grab();
    another.complete('a');
    client.submit('f', 'later', { background: true, at: scene.now + 5_000 });
    scene.pass(4_999);
    expect(ages(scene).oldest).toBe(0);
    scene.pass(11);
    expect(ages(scene).oldest).toBe(10);
  });
});

describe('the histograms of a function', () => {
  it('have each attempt’s wait and run, and no backoff', () => {
    const { scene, worker, client } = newScene();
    client.submit('f', 'a');
    scene.pass(100);
    worker.grab();
    scene.pass(1_000);
    worker.leave();
    scene.pass(3);
    const another = scene.worker('f');
    another.grab();
    scene.pass(7);
    another.complete('a');
    const { wait, run } = ofFunction(scene).stats;
    expect([wait.value([2, 6, 7], 1), run.value([2, 3, 9, 10], 1)]).toEqual([
      { bounds: [4, 64, 128], cumulative: [1, 1, 2], count: 2, sum: 103 },
      { bounds: [4, 8, 512, 1_024], cumulative: [0, 1, 1, 2], count: 2, sum: 1_007 },
    ]);
  });
});

describe('the counters of a function', () => {
  it('tell what came, what became of it, and why attempts came to nothing', () => {
    const { scene, worker, client } = newScene();
    worker.canDo('f', 1_000);
    for (const label of ['done', 'failed', 'thrown', 'late']) client.submit('f', label);
    client.submit('f', 'bg', { background: true, unique: 'u' });
    client.submit('f', 'same', { background: true, unique: 'u' });
    for (let grabs = 0; grabs < 4; grabs++) worker.grab();
    worker.complete('done');
    worker.fail('failed');
    worker.exception('thrown', 'no');
    scene.pass(1_001);
    scene.engine.cancel(scene.handle('bg'));
    client.leave();
    scene.pass(60_001);
    expect(ofFunction(scene).stats).toMatchObject({
      foreground: 4,
      background: 1,
      coalesced: 1,
      started: 4,
      requeued: 1,
      reportedFailures: 1,
      exceptions: 1,
      timeouts: 1,
      lostWorkers: 0,
      completed: 1,
      failed: 2,
      cancelled: 1,
      abandoned: 1,
    } satisfies Partial<Record<keyof FunctionStats, unknown>>);
  });

  it('of a function that is dropped go on in those of all functions', () => {
    const { scene, worker, client } = newScene();
    client.submit('f', 'a');
    worker.grab();
    worker.complete('a');
    worker.leave();
    scene.engine.dropFunction('f');
    expect(scene.engine.functions.droppedStats).toMatchObject({ foreground: 1, completed: 1 });
    expect(scene.engine.functions.droppedStats.run.count).toBe(1);
  });

  it('account for every job that came, whatever happens', () => {
    const label = fc.integer({ min: 0, max: 9 });
    const operation = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('submit'), label, background: fc.boolean(), delayed: fc.boolean() }),
      },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('grab'), label }) },
      fc.record({ do: fc.constantFrom('complete', 'fail', 'exception', 'cancel', 'leave', 'rejoin', 'pass'), label }),
    );
    fc.assert(
      fc.property(fc.array(operation, { minLength: 250, maxLength: 300 }), (operations) => {
        const scene = new EngineScene({ jobRetries: 2 });
        const workers = [0, 1].map(() => scene.client());
        for (const worker of workers) worker.canDo('f', 1_000);
        let client = scene.client();
        for (const { do: what, label: number, ...how } of operations) {
          const worker = workers[number % 2]!;
          const name = String(number);
          if (what === 'submit') {
            const { background, delayed } = how as { background: boolean; delayed: boolean };
            const unique = number < 3 ? name : '';
            client.submit('f', name, { background, unique, at: background && delayed ? scene.now + 500 : 0 });
          } else if (what === 'grab') worker.grab();
          else if (what === 'complete') for (const each of workers) each.complete(name);
          else if (what === 'fail') worker.fail(name);
          else if (what === 'exception') worker.exception(name, 'x');
          else if (what === 'cancel') scene.engine.cancel(scene.handle(name));
          else if (what === 'pass') scene.pass(number * 150);
          else if (what === 'leave') {
            client.leave();
            client = scene.client();
          } else {
            worker.leave();
            workers[number % 2] = scene.client();
            workers[number % 2]!.canDo('f', 1_000);
          }
          const { came, are } = balance(ofFunction(scene));
          expect(are).toBe(came);
        }
      }),
      runs(20),
    );
  });
});
