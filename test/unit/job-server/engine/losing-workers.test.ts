import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

describe('a lost worker', () => {
  it('leaves its job to another, and the clients hear nothing of it', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const lost = scene.worker('f');
    expect(lost.grab()).toBe('a');
    lost.report('a', '3', '10');
    expect(client.heard()).toEqual(['STATUS a 3/10']);
    lost.leave();
    expect(client.heard()).toEqual([]);
    expect([scene.job('a')?.numerator, scene.job('a')?.denominator]).toEqual(['0', '0']);
    expect(scene.events.slice(-2)).toEqual(['worker left', 'requeued a']);
    const other = scene.worker('f');
    expect(other.grab()).toBe('a');
    other.complete('a', 'done');
    expect(client.heard()).toEqual(['COMPLETE a done']);
  });

  it('is lost as often as it happens when jobRetries is 0', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    for (let loss = 0; loss < 50; loss++) {
      const lost = scene.worker('f');
      expect(lost.grab()).toBe('a');
      lost.leave();
    }
    expect(scene.job('a')?.losses).toBe(50);
  });

  it.each([1, 3])('fails the job at the loss number jobRetries: %d', (jobRetries) => {
    const scene = new EngineScene({ jobRetries });
    const client = scene.client();
    client.submit('f', 'a');
    for (let loss = 1; loss <= jobRetries; loss++) {
      expect(client.heard()).toEqual([]);
      const lost = scene.worker('f');
      expect(lost.grab()).toBe('a');
      lost.leave();
    }
    expect(client.heard()).toEqual(['FAIL a']);
    expect(scene.events.at(-1)).toBe('failed a');
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('wakes nobody for a job that failed by being lost', () => {
    const scene = new EngineScene({ jobRetries: 1 });
    scene.queue('f', 'a');
    const lost = scene.worker('f');
    lost.grab();
    const sleeper = scene.worker('f');
    sleeper.sleep();
    lost.leave();
    expect(sleeper.heard()).toEqual([]);
  });
});

describe.each(['cantDo', 'resetAbilities'] as const)('%s of a pulling worker', (giveUp) => {
  it('queues its running job again at once; the later result is refused', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const leaver = scene.worker('f');
    expect(leaver.grab()).toBe('a');
    const other = scene.worker('f');
    other.sleep();
    leaver[giveUp]('f');
    expect(other.heard()).toEqual(['NOOP']);
    expect(leaver.complete('a', 'too late')).toBe('JOB_NOT_FOUND');
    expect(client.heard()).toEqual([]);
    expect(other.grab()).toBe('a');
    expect(leaver.grab()).toBe('NO_JOB');
  });

  it('counts as a loss', () => {
    const scene = new EngineScene({ jobRetries: 1 });
    const client = scene.client();
    client.submit('f', 'a');
    const leaver = scene.worker('f');
    leaver.grab();
    leaver[giveUp]('f');
    expect(client.heard()).toEqual(['FAIL a']);
  });

  it('gives it nothing more to do', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    worker.sleep();
    worker[giveUp]('f');
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual([]);
    expect(scene.status('f')).toBe('1 0 0');
  });
});

describe('CANT_DO', () => {
  it('harms no running job of another function', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const worker = scene.worker('f', 'g');
    expect(worker.grab()).toBe('a');
    worker.cantDo('g');
    worker.cantDo('unknown');
    expect(worker.complete('a')).toBeUndefined();
  });

  it('of a function it never registered does nothing', () => {
    const scene = new EngineScene();
    scene.worker('g');
    const worker = scene.worker('f');
    worker.cantDo('g');
    expect([scene.status('f'), scene.status('g')]).toEqual(['0 0 1', '0 0 1']);
  });

  it('frees a slot of a full worker for what it can still do', () => {
    const scene = new EngineScene({ maxRunningPerWorker: 1 });
    scene.queue('f', 'a');
    const worker = scene.worker('f', 'g');
    expect(worker.grab()).toBe('a');
    worker.sleep();
    scene.queue('g', 'b');
    expect(worker.heard()).toEqual([]);
    worker.cantDo('f');
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grab()).toBe('b');
  });
});

describe('registering', () => {
  it('a function twice counts one worker', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f', 'f');
    expect(scene.status('f')).toBe('0 0 1');
    worker.cantDo('f');
    expect(scene.status('f')).toBe('0 0 0');
    worker.cantDo('f');
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('tells when a connection becomes a worker and when it is one no longer', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f', 'g');
    worker.cantDo('f');
    expect(scene.events).toEqual(['worker joined']);
    worker.cantDo('g');
    expect(scene.events).toEqual(['worker joined', 'worker left']);
    worker.canDo('f');
    worker.leave();
    scene.client().leave();
    expect(scene.events).toEqual(['worker joined', 'worker left', 'worker joined', 'worker left']);
  });
});
