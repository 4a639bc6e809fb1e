import { describe, expect, it } from '@jest/globals';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';

const WAKE_TIMEOUT = 1_000;

function asleep(scene: EngineScene, ...functions: string[]): ScenePeer {
  const worker = scene.worker(...functions);
  worker.sleep();
  return worker;
}

const wakeups = (workers: readonly ScenePeer[]): number => workers.flatMap((worker) => worker.heard()).length;

describe('waking', () => {
  it('wakes no more sleepers than there are jobs, the longest waiting first', () => {
    const scene = new EngineScene();
    const workers = [asleep(scene, 'f'), asleep(scene, 'f'), asleep(scene, 'f')];
    scene.queue('f', 'a', 'b');
    expect(workers.map((worker) => worker.heard())).toEqual([['NOOP'], ['NOOP'], []]);
  });

  it('wakes a sleeper once until it asks, however many jobs come', () => {
    const scene = new EngineScene();
    const worker = asleep(scene, 'f', 'g');
    scene.queue('f', 'a', 'b');
    scene.queue('g', 'c');
    scene.pass(60_000);
    scene.queue('g', 'd');
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grabAll()).toEqual(['a', 'c', 'b', 'd']);
    worker.sleep();
    scene.queue('f', 'e');
    expect(worker.heard()).toEqual(['NOOP']);
  });

  it('wakes nobody who is awake', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual([]);
  });

  it('wakes only who registered the function', () => {
    const scene = new EngineScene();
    const worker = asleep(scene, 'g');
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual([]);
  });

  it('wakes at once who goes to sleep while a job waits', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    expect(asleep(scene, 'f').heard()).toEqual(['NOOP']);
  });

  it('wakes at once who learns a function of a waiting job while asleep', () => {
    const scene = new EngineScene();
    scene.queue('g', 'a');
    const worker = asleep(scene, 'f');
    expect(worker.heard()).toEqual([]);
    worker.canDo('g');
    expect(worker.heard()).toEqual(['NOOP']);
  });

  it('wakes anew who was woken, did not ask and went to sleep again, as gearmand does', () => {
    const scene = new EngineScene();
    const worker = asleep(scene, 'f');
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual(['NOOP']);
    worker.sleep();
    expect(worker.heard()).toEqual(['NOOP']);
    expect(scene.worker('f').grab()).toBe('a');
    worker.sleep();
    expect(worker.heard()).toEqual([]);
    scene.queue('f', 'b');
    expect(worker.heard()).toEqual(['NOOP']);
  });

  it('wakes another when a woken worker does not ask in time', () => {
    const scene = new EngineScene();
    const [silent, other] = [asleep(scene, 'f'), asleep(scene, 'f')];
    scene.queue('f', 'a');
    scene.pass(WAKE_TIMEOUT - 1);
    expect([silent.heard(), other.heard()]).toEqual([['NOOP'], []]);
    scene.pass(1);
    expect([silent.heard(), other.heard()]).toEqual([[], ['NOOP']]);
    expect(other.grab()).toBe('a');
  });

  it('still gives the job to a woken worker that asks late', () => {
    const scene = new EngineScene();
    const worker = asleep(scene, 'f');
    scene.queue('f', 'a');
    scene.pass(WAKE_TIMEOUT * 10);
    expect(worker.grab()).toBe('a');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('wakes another when a woken worker disconnects', () => {
    const scene = new EngineScene();
    const [lost, other] = [asleep(scene, 'f'), asleep(scene, 'f')];
    scene.queue('f', 'a');
    lost.leave();
    expect(other.heard()).toEqual(['NOOP']);
  });

  it.each(['cantDo', 'resetAbilities'] as const)('wakes another when a woken worker says %s', (giveUp) => {
    const scene = new EngineScene();
    const [woken, other] = [asleep(scene, 'f'), asleep(scene, 'f')];
    scene.queue('f', 'a');
    woken[giveUp]('f');
    expect(other.heard()).toEqual(['NOOP']);
  });

  it("wakes another when a worker woken for one function takes another's job", () => {
    const scene = new EngineScene();
    const both = asleep(scene, 'f', 'g');
    const other = asleep(scene, 'f');
    scene.submit('f', 'low', { priority: 'low', background: true });
    expect([both.heard(), other.heard()]).toEqual([['NOOP'], []]);
    scene.submit('g', 'high', { priority: 'high', background: true });
    expect(both.grab()).toBe('high');
    expect(other.heard()).toEqual(['NOOP']);
  });

  it('wakes nobody for a job that the one woken for it took', () => {
    const scene = new EngineScene();
    const [woken, other] = [asleep(scene, 'f'), asleep(scene, 'f')];
    scene.queue('f', 'a');
    expect(woken.grab()).toBe('a');
    scene.pass(WAKE_TIMEOUT * 2);
    expect(other.heard()).toEqual([]);
  });

  it('wakes somebody for a lost job', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const lost = scene.worker('f');
    expect(lost.grab()).toBe('a');
    const other = asleep(scene, 'f');
    expect(other.heard()).toEqual([]);
    lost.leave();
    expect(other.heard()).toEqual(['NOOP']);
  });

  it('gives every sleeper its turn', () => {
    const scene = new EngineScene();
    const workers = [asleep(scene, 'f'), asleep(scene, 'f'), asleep(scene, 'f')];
    const turns: number[] = [];
    for (let job = 0; job < 6; job++) {
      scene.queue('f', `job ${job}`);
      const woken = workers.findIndex((worker) => worker.heard().length > 0);
      turns.push(woken);
      expect(workers[woken]!.grabAll()).toEqual([`job ${job}`]);
      workers[woken]!.sleep();
    }
    expect(turns).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('wakes as many for each job as wakeupsPerJob says', () => {
    const scene = new EngineScene({ wakeupsPerJob: 2 });
    const workers = Array.from({ length: 5 }, () => asleep(scene, 'f'));
    scene.queue('f', 'a');
    expect(wakeups(workers)).toBe(2);
    scene.queue('f', 'b');
    expect(wakeups(workers)).toBe(2);
  });

  it('wakes all when wakeupsPerJob is 0', () => {
    const scene = new EngineScene({ wakeupsPerJob: 0 });
    const workers = Array.from({ length: 5 }, () => asleep(scene, 'f'));
    scene.queue('f', 'a');
    expect(wakeups(workers)).toBe(5);
  });

  it('leaves no job waiting while workers fail to ask one after the other', () => {
    const scene = new EngineScene();
    const workers = Array.from({ length: 10 }, () => asleep(scene, 'f'));
    scene.queue('f', 'a', 'b');
    scene.pass(WAKE_TIMEOUT * 10);
    expect(wakeups(workers)).toBe(10);
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });
});
