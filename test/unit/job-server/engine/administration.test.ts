import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

describe('cancel', () => {
  it('ends a queued job; its clients hear that it failed', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    client.submit('f', 'b');
    expect(scene.engine.cancel(scene.handle('a'))).toBe(true);
    expect(client.heard()).toEqual(['FAIL a']);
    expect(scene.events.at(-1)).toBe('cancelled a');
    expect(scene.worker('f').grabAll()).toEqual(['b']);
  });

  it('ends a delayed job', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { background: true, at: scene.now + 1_000 });
    expect(scene.engine.cancel(scene.handle('a'))).toBe(true);
    scene.pass(1_000);
    expect(scene.status('f')).toBe('0 0 0');
    expect(scene.worker('f').grab()).toBe('NO_JOB');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('leaves a running job to its worker, whose result is taken', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = scene.worker('f');
    worker.grab();
    expect(scene.engine.cancel(scene.handle('a'))).toBe(true);
    expect(client.heard()).toEqual([]);
    worker.complete('a', 'done');
    expect(client.heard()).toEqual(['COMPLETE a done']);
  });

  it('does not queue a running job again when its worker is lost', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = scene.worker('f');
    worker.grab();
    scene.engine.cancel(scene.handle('a'));
    worker.leave();
    expect(client.heard()).toEqual(['FAIL a']);
    expect(scene.events.at(-1)).toBe('cancelled a');
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('says when there is no such job', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    expect(scene.engine.cancel('H:2')).toBe(false);
    scene.engine.cancel('H:1');
    expect(scene.engine.cancel('H:1')).toBe(false);
  });
});

describe('functions', () => {
  it('may be made known before anybody registers them', () => {
    const scene = new EngineScene();
    expect(scene.engine.createFunction('f')).toBeUndefined();
    expect(scene.engine.createFunction('f')).toBeUndefined();
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('are dropped only without workers and jobs', () => {
    const scene = new EngineScene();
    expect(scene.engine.dropFunction('f')?.code).toBe('NOT_FOUND');
    const worker = scene.worker('f');
    expect(scene.engine.dropFunction('f')?.code).toBe('BUSY');
    scene.submit('f', 'a', { background: true, at: scene.now + 1_000 });
    worker.leave();
    expect(scene.engine.dropFunction('f')?.code).toBe('BUSY');
    scene.engine.cancel(scene.handle('a'));
    expect(scene.engine.dropFunction('f')).toBeUndefined();
    expect(scene.status('f')).toBe('unknown');
  });

  it('begin anew after being dropped, whatever took their number meanwhile', () => {
    const scene = new EngineScene({ maxQueue: [9, 9, 9] });
    scene.engine.createFunction('f');
    scene.engine.limitQueue('f', [1, 1, 1]);
    scene.engine.pause('f');
    scene.engine.dropFunction('f');
    const g = scene.worker('g');
    const f = scene.worker('f');
    scene.queue('g', 'g1');
    scene.queue('f', 'f1', 'f2');
    expect([f.grabAll(), g.grabAll()]).toEqual([['f1', 'f2'], ['g1']]);
  });

  it('give nothing to anybody while paused, but take jobs', () => {
    const scene = new EngineScene();
    const sleeper = scene.worker('f', 'g');
    sleeper.sleep();
    scene.engine.pause('f');
    scene.queue('f', 'a');
    expect(sleeper.heard()).toEqual([]);
    expect(sleeper.grab()).toBe('NO_JOB');
    sleeper.sleep();
    expect(sleeper.heard()).toEqual([]);
    scene.queue('g', 'b');
    expect(sleeper.heard()).toEqual(['NOOP']);
    expect(sleeper.grabAll()).toEqual(['b']);
    sleeper.sleep();
    scene.engine.resume('f');
    expect(sleeper.heard()).toEqual(['NOOP']);
    expect(sleeper.grabAll()).toEqual(['a']);
  });

  it.each(['1.1', '2.0'] as const)('give nothing while paused in order %s, also what comes back', (order) => {
    const scene = new EngineScene({ order });
    scene.queue('f', 'a');
    const lost = scene.worker('f');
    expect(lost.grab()).toBe('a');
    scene.engine.pause('f');
    lost.leave();
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('NO_JOB');
    scene.engine.resume('f');
    expect(worker.grab()).toBe('a');
  });

  it('may be paused before anybody knows them', () => {
    const scene = new EngineScene();
    scene.engine.pause('f');
    scene.queue('f', 'a');
    expect(scene.worker('f').grab()).toBe('NO_JOB');
  });

  it('keep what was set for them before anybody knew them', () => {
    const scene = new EngineScene({ maxQueue: [9, 9, 9] });
    expect(scene.engine.limitQueue('f', [1, 1, 1])).toBeUndefined();
    expect(scene.status('f')).toBe('unknown');
    scene.queue('f', 'a');
    expect(scene.submit('f', 'b')).toBe('QUEUE_ERROR');
  });

  it('forget it when they are dropped, though nobody knows them', () => {
    const scene = new EngineScene();
    scene.engine.limitQueue('f', [1, 1, 1]);
    expect(scene.engine.dropFunction('f')?.code).toBe('NOT_FOUND');
    scene.queue('f', 'a', 'b');
  });

  it('may not be set in any number: 10,000 are told from one more, and room comes back', () => {
    const { engine } = new EngineScene();
    for (let index = 0; index < 10_000; index++) engine.limitQueue(`f${index}`, [1, 1, 1]);
    expect(engine.limitQueue('more', [1, 1, 1])?.code).toBe('QUEUE_ERROR');
    expect(engine.pause('more')?.code).toBe('QUEUE_ERROR');
    expect(engine.functions.find('more')).toBeUndefined();
    expect(engine.limitQueue('f1', [2, 2, 2])).toBeUndefined();
    engine.dropFunction('f2');
    expect(engine.pause('more')).toBeUndefined();
  });

  it('are made by no resume of a name nobody knows', () => {
    const scene = new EngineScene();
    scene.engine.resume('f');
    expect(scene.status('f')).toBe('unknown');
  });
});

describe('halt', () => {
  it('gives nothing to anybody until it proceeds, but takes jobs and results', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b');
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    const sleeper = scene.worker('f');
    scene.engine.halt();
    sleeper.sleep();
    scene.queue('f', 'c');
    expect([worker.grab(), sleeper.heard()]).toEqual(['NO_JOB', []]);
    expect(worker.complete('a')).toBeUndefined();
    scene.engine.proceed();
    expect(sleeper.heard()).toEqual(['NOOP']);
    expect(sleeper.grabAll()).toEqual(['b', 'c']);
  });

  it('loses no sleeper and no kept grab', () => {
    const scene = new EngineScene();
    const [before, during] = [scene.worker('f'), scene.worker('f')];
    const pushed = scene.worker('f');
    pushed.allYours();
    before.sleep();
    expect(pushed.grab()).toBe('kept');
    scene.engine.halt();
    during.sleep();
    expect(pushed.grab()).toBe('kept');
    scene.queue('f', 'a');
    scene.pass(10_000);
    scene.engine.proceed();
    scene.queue('f', 'b', 'c', 'd');
    expect([before, during, pushed].flatMap((worker) => worker.heard()).sort()).toEqual([
      'JOB a',
      'JOB b',
      'NOOP',
      'NOOP',
    ]);
  });
});
