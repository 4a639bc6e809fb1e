import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

/*
 * Who listens to events may act on them at once: the engine is told of things
 * only where it is of one mind with itself.
 */
describe('acting on what the engine tells', () => {
  it('cancels a job as it is submitted', () => {
    const scene = new EngineScene();
    const sleeper = scene.worker('f');
    sleeper.sleep();
    scene.onEvent = (event) => {
      if (event === 'submitted a') scene.engine.cancel('H:1');
    };
    scene.queue('f', 'a', 'b');
    expect(scene.status('f')).toBe('1 0 1');
    expect(sleeper.heard()).toEqual(['NOOP']);
    expect(sleeper.grabAll()).toEqual(['b']);
  });

  it('submits a job as another is given to a kept grab', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    worker.allYours();
    expect(worker.grab()).toBe('kept');
    scene.onEvent = (event) => {
      if (event === 'assigned a') scene.queue('f', 'b');
    };
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual(['JOB a']);
    expect(worker.grab()).toBe('b');
  });

  it('submits a job as another one of a new function is given to a kept grab', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    worker.allYours();
    expect([worker.grab('unique')]).toEqual(['kept']);
    scene.queue('g', 'a');
    scene.onEvent = (event) => {
      if (event === 'assigned a') scene.queue('f', 'b');
    };
    worker.canDo('g');
    expect(worker.heard()).toEqual(['JOB(unique) a']);
    expect(scene.status('f')).toBe('1 0 1');
  });

  it('tells the time as each of very many jobs is dropped', () => {
    const scene = new EngineScene({ abandonedTimeout: 1_000 });
    const client = scene.client();
    for (let number = 0; number < 20_000; number++) client.submit('f', `job ${number}`);
    client.leave();
    scene.workOff();
    scene.onEvent = () => scene.engine.tick(scene.now);
    scene.pass(1_000);
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('submits the next job as one ends', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a', { unique: 'u' });
    const worker = scene.worker('f');
    worker.allYours();
    expect([worker.grab(), worker.grab()]).toEqual(['a', 'kept']);
    scene.onEvent = (event) => {
      if (event === 'completed a') client.submit('f', 'b', { unique: 'u' });
    };
    worker.complete('a', 'done');
    expect(worker.heard()).toEqual(['JOB b']);
    expect(client.heard()).toEqual(['COMPLETE a done']);
    worker.complete('b', 'done');
    expect(client.heard()).toEqual(['COMPLETE b done']);
  });

  it('cancels a job as it is queued again', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b');
    const lost = scene.worker('f');
    expect(lost.grabAll()).toEqual(['a', 'b']);
    scene.onEvent = (event) => {
      if (event === 'requeued a') scene.engine.cancel(scene.handle('b'));
    };
    lost.leave();
    expect(scene.worker('f').grabAll()).toEqual(['a']);
    expect(scene.status('f')).toBe('1 1 1');
  });

  it('pauses a function as its job is given out', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    worker.allYours();
    expect([worker.grab(), worker.grab()]).toEqual(['kept', 'kept']);
    scene.onEvent = (event) => {
      if (event === 'assigned a') scene.engine.pause('f');
    };
    scene.queue('f', 'a', 'b');
    expect(worker.heard()).toEqual(['JOB a']);
    expect(scene.status('f')).toBe('2 1 1');
  });
});
