import { describe, expect, it } from '@jest/globals';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';

/** A worker that said ALL_YOURS and keeps `credits` grabs open. */
function pushed(scene: EngineScene, functions: readonly string[], credits: number): ScenePeer {
  const worker = scene.worker(...functions);
  worker.allYours();
  for (let credit = 0; credit < credits; credit++) expect(worker.grab()).toBe('kept');
  return worker;
}

describe('pushing (ALL_YOURS)', () => {
  it('answers a grab at once when a job waits', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const worker = scene.worker('f');
    worker.allYours();
    expect(worker.grab()).toBe('a');
    expect(worker.grab()).toBe('kept');
  });

  it('answers each kept grab with one job, as jobs come', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f'], 2);
    scene.queue('f', 'a', 'b', 'c');
    expect(worker.heard()).toEqual(['JOB a', 'JOB b']);
    expect(scene.status('f')).toBe('3 2 1');
    expect(worker.grab()).toBe('c');
  });

  it('answers kept grabs in the order and in the manner they were asked', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    worker.allYours();
    expect([worker.grab('all'), worker.grab('plain'), worker.grab('unique')]).toEqual(['kept', 'kept', 'kept']);
    scene.queue('f', 'a', 'b', 'c');
    expect(worker.heard()).toEqual(['JOB(all) a', 'JOB b', 'JOB(unique) c']);
  });

  it('answers kept grabs when a function of waiting jobs is registered', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f'], 3);
    scene.queue('g', 'a', 'b');
    worker.canDo('g');
    expect(worker.heard()).toEqual(['JOB a', 'JOB b']);
  });

  it('keeps no grab of a worker without functions', () => {
    const scene = new EngineScene();
    const worker = scene.worker();
    worker.allYours();
    expect(worker.grab()).toBe('NO_JOB');
  });

  it('keeps 1,024 grabs of a connection and answers more with NO_JOB', () => {
    const scene = new EngineScene();
    expect(pushed(scene, ['f'], 1_024).grab()).toBe('NO_JOB');
  });

  it('lets a connection stand in the rotation once, whatever its credits', () => {
    const scene = new EngineScene();
    const greedy = pushed(scene, ['f'], 10);
    const modest = pushed(scene, ['f'], 10);
    scene.queue('f', 'a', 'b', 'c', 'd');
    expect(greedy.heard()).toEqual(['JOB a', 'JOB c']);
    expect(modest.heard()).toEqual(['JOB b', 'JOB d']);
  });

  it('lets pushed workers and sleepers take turns', () => {
    const scene = new EngineScene();
    const one = pushed(scene, ['f'], 10);
    const sleeper = scene.worker('f');
    sleeper.sleep();
    const other = pushed(scene, ['f'], 10);
    scene.queue('f', 'a', 'b', 'c', 'd');
    expect([one.heard(), sleeper.heard(), other.heard()]).toEqual([['JOB a', 'JOB c'], ['NOOP'], ['JOB b']]);
    expect(sleeper.grab()).toBe('d');
  });

  it('gives a pushed worker the job whose turn it is, whichever function called it', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f', 'g');
    scene.engine.pause('g');
    scene.submit('g', 'urgent', { priority: 'high', background: true });
    worker.allYours();
    expect(worker.grab()).toBe('kept');
    scene.engine.resume('g');
    expect(worker.heard()).toEqual(['JOB urgent']);
  });

  it('gives a job to a kept grab when the sleeper woken for it does not ask', () => {
    const scene = new EngineScene();
    const sleeper = scene.worker('f');
    sleeper.sleep();
    const worker = pushed(scene, ['f'], 2);
    scene.queue('f', 'a', 'b');
    expect([sleeper.heard(), worker.heard()]).toEqual([['NOOP'], ['JOB a']]);
    scene.pass(1_000);
    expect(worker.heard()).toEqual(['JOB b']);
  });

  it('answers every kept grab with NO_JOB at RESET_ABILITIES, and takes back no running job', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f', 'g'], 3);
    scene.queue('f', 'a');
    expect(worker.heard()).toEqual(['JOB a']);
    worker.resetAbilities();
    expect(worker.heard()).toEqual(['NO_JOB', 'NO_JOB']);
    expect(scene.status('f')).toBe('1 1 0');
    scene.queue('f', 'b');
    expect(worker.heard()).toEqual([]);
    expect(worker.complete('a')).toBeUndefined();
    expect(worker.heard()).toEqual([]);
  });

  it('answers every kept grab with NO_JOB only at the last CANT_DO, and takes back no running job', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f', 'g'], 3);
    scene.queue('f', 'a');
    worker.cantDo('f');
    expect(worker.heard()).toEqual(['JOB a']);
    worker.cantDo('g');
    expect(worker.heard()).toEqual(['NO_JOB', 'NO_JOB']);
    expect(worker.complete('a')).toBeUndefined();
  });

  it('serves the remaining functions after a CANT_DO', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f', 'g'], 2);
    worker.cantDo('f');
    scene.queue('f', 'a');
    scene.queue('g', 'b');
    expect(worker.heard()).toEqual(['JOB b']);
  });

  it('gives the jobs of a lost pushed worker to the others', () => {
    const scene = new EngineScene();
    const lost = pushed(scene, ['f'], 2);
    scene.queue('f', 'a', 'b');
    const other = pushed(scene, ['f'], 2);
    lost.leave();
    expect(other.heard()).toEqual(['JOB a', 'JOB b']);
    scene.queue('f', 'c');
    expect(lost.heard()).toEqual(['JOB a', 'JOB b']);
  });

  it('gives no job of a paused function until it is resumed', () => {
    const scene = new EngineScene();
    const worker = pushed(scene, ['f'], 2);
    scene.engine.pause('f');
    scene.queue('f', 'a', 'b', 'c');
    expect(worker.heard()).toEqual([]);
    scene.engine.resume('f');
    expect(worker.heard()).toEqual(['JOB a', 'JOB b']);
  });

  it('gives a full worker its next job when one ends', () => {
    const scene = new EngineScene({ maxRunningPerWorker: 2 });
    const worker = pushed(scene, ['f'], 4);
    scene.queue('f', 'a', 'b', 'c', 'd');
    expect(worker.heard()).toEqual(['JOB a', 'JOB b']);
    expect(worker.complete('b')).toBeUndefined();
    expect(worker.heard()).toEqual(['JOB c']);
  });
});
