import { describe, expect, it } from '@jest/globals';
import type { JobSpec } from '../../../../lib/job-server/engine/index.js';
import { EngineScene } from '../../../support/engine-scene.js';

describe('delayed jobs', () => {
  it('are invisible until their time, whatever their priority, and wake on it', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f');
    scene.submit('f', 'later', { priority: 'high', background: true, at: scene.now + 1_000 });
    expect(scene.due).toBe(scene.now + 1_000);
    worker.sleep();
    scene.pass(999);
    expect([worker.heard(), worker.grab(), scene.status('f')]).toEqual([[], 'NO_JOB', '1 0 1']);
    worker.sleep();
    scene.pass(1);
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grab()).toBe('later');
  });

  it('stand behind what came before their time', () => {
    const scene = new EngineScene();
    scene.submit('f', 'delayed', { background: true, at: scene.now + 1_000 });
    scene.queue('f', 'a');
    scene.pass(1_000);
    scene.queue('f', 'b');
    expect(scene.worker('f').grabAll()).toEqual(['a', 'delayed', 'b']);
  });

  it('of the same time stand in the order they were submitted', () => {
    const scene = new EngineScene();
    const labels = Array.from({ length: 50 }, (_, index) => `job ${index}`);
    for (const label of labels) scene.submit('f', label, { background: true, at: scene.now + 1_000 });
    scene.pass(1_000);
    expect(scene.worker('f').grabAll()).toEqual(labels);
  });

  it('are queued at once when their time is over', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { background: true, at: scene.now });
    scene.submit('f', 'b', { background: true, at: 1 });
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b']);
  });
});

describe('restore', () => {
  const restore = (
    scene: EngineScene,
    handle: string,
    label: string,
    { losses = 0, ...more }: Partial<JobSpec> & { losses?: number } = {},
  ): boolean => {
    const spec = {
      function: 'f',
      unique: '',
      workload: label,
      priority: 1 as const,
      isBackground: true,
      at: 0,
      ...more,
    };
    return scene.engine.restore(spec, { handle, losses, attempts: 0 });
  };

  it('queues stored jobs under the handles they had', () => {
    const scene = new EngineScene();
    expect(restore(scene, 'H:before:7', 'a')).toBe(true);
    expect(restore(scene, 'H:before:9', 'b', { priority: 0 })).toBe(true);
    const worker = scene.worker('f');
    const job = scene.engine.grab(worker.peer, 'plain');
    expect(job).toBe(scene.engine.find('H:before:9'));
    expect(scene.engine.complete(worker.peer, 'H:before:9', '')).toBeUndefined();
    expect(scene.engine.find('H:before:9')).toBeUndefined();
    expect(worker.grab()).toBe('a');
    expect(scene.events).toEqual(['worker joined', 'assigned b', 'completed b', 'assigned a']);
  });

  it('takes none twice', () => {
    const scene = new EngineScene();
    expect([restore(scene, 'H:x:1', 'a'), restore(scene, 'H:x:1', 'a')]).toEqual([true, false]);
    expect(scene.status('f')).toBe('1 0 0');
  });

  it('keeps how often they were lost, and their delay', () => {
    const scene = new EngineScene({ jobRetries: 3 });
    restore(scene, 'H:x:1', 'a', { losses: 2, at: scene.now + 1_000 });
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('NO_JOB');
    scene.pass(1_000);
    expect(worker.grab()).toBe('a');
    worker.leave();
    expect(scene.events.at(-1)).toBe('failed a');
  });

  it('passes by every limit: a job accepted once stays accepted', () => {
    const scene = new EngineScene({ maxJobs: 1, maxFunctions: 1, maxQueue: [1, 1, 1] });
    scene.queue('g', 'a');
    expect(restore(scene, 'H:x:1', 'b')).toBe(true);
    expect(restore(scene, 'H:x:2', 'c')).toBe(true);
    expect(scene.worker('f').canDo('f')).toBeUndefined();
    expect(scene.status('f')).toBe('2 0 1');
  });

  it('coalesces submissions with a restored job', () => {
    const scene = new EngineScene();
    restore(scene, 'H:x:1', 'a', { unique: 'u' });
    expect(scene.submit('f', 'b', { unique: 'u' })).toBe('a');
  });

  it('lets a job that took the unique meanwhile keep it', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { unique: 'u', background: true });
    restore(scene, 'H:x:1', 'b', { unique: 'u' });
    const worker = scene.worker('f');
    expect(scene.submit('f', 'c', { unique: 'u' })).toBe('a');
    expect(worker.grabAll()).toEqual(['a', 'b']);
    scene.engine.complete(worker.peer, 'H:x:1', '');
    expect(scene.submit('f', 'c', { unique: 'u' })).toBe('a');
    worker.complete('a');
    expect(scene.submit('f', 'd', { unique: 'u' })).toBe('d');
  });
});
