import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

describe('limits', () => {
  it('refuse a submission that finds the queue full, by its priority', () => {
    const scene = new EngineScene();
    scene.engine.createFunction('f');
    scene.engine.limitQueue('f', [3, 2, 1]);
    const answers = (['low', 'low', 'normal', 'normal', 'high', 'high'] as const).map((priority, index) =>
      scene.submit('f', `${index}`, { priority, background: true }),
    );
    expect(answers).toEqual(['0', 'QUEUE_ERROR', '2', 'QUEUE_ERROR', '4', 'QUEUE_ERROR']);
  });

  it('refuse a name of a function with more than 1,000 bytes, whoever names it', () => {
    const scene = new EngineScene();
    const [name, long] = ['n'.repeat(1_000), 'n'.repeat(1_001)];
    const { engine } = scene;
    const worker = scene.worker();
    expect(engine.canDo(worker.peer, name)).toBeUndefined();
    const limits = [1, 1, 1] as const;
    for (const refusal of [
      engine.canDo(worker.peer, long),
      engine.createFunction(long),
      engine.pause(long),
      engine.limitQueue(long, limits),
    ]) {
      expect(refusal?.code).toBe('ARGUMENT_TOO_LARGE');
    }
    expect([scene.submit(long, 'a'), scene.submit(name, 'b')]).toEqual(['ARGUMENT_TOO_LARGE', 'b']);
    expect(engine.functions.size).toBe(1);
  });

  it('count running and delayed jobs', () => {
    const scene = new EngineScene({ maxQueue: [0, 2, 0] });
    scene.queue('f', 'a');
    scene.submit('f', 'b', { background: true, at: scene.now + 1 });
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    expect(scene.submit('f', 'c')).toBe('QUEUE_ERROR');
    worker.complete('a');
    expect(scene.submit('f', 'c')).toBe('c');
  });

  it('let a submission in that joins a job', () => {
    const scene = new EngineScene({ maxQueue: [1, 1, 1], maxJobs: 1 });
    scene.submit('f', 'a', { unique: 'u' });
    expect(scene.submit('f', 'b', { unique: 'u' })).toBe('a');
  });

  it('hold for one function and change without touching what is queued', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b', 'c');
    scene.engine.limitQueue('f', [1, 1, 1]);
    scene.engine.limitQueue('unknown', [1, 1, 1]);
    expect(scene.engine.functions.find('unknown')).toBeUndefined();
    expect(scene.submit('f', 'd')).toBe('QUEUE_ERROR');
    expect(scene.submit('g', 'e')).toBe('e');
    scene.engine.limitQueue('f', [0, 0, 0]);
    expect(scene.submit('f', 'd', { background: true })).toBe('d');
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('bound all jobs together: maxJobs', () => {
    const scene = new EngineScene({ maxJobs: 2 });
    scene.queue('f', 'a');
    scene.queue('g', 'b');
    expect(scene.submit('h', 'c')).toBe('QUEUE_ERROR');
    const worker = scene.worker('f');
    worker.grab();
    worker.complete('a');
    expect(scene.submit('g', 'c')).toBe('c');
  });

  it('bound the functions: maxFunctions', () => {
    const scene = new EngineScene({ maxFunctions: 2 });
    scene.queue('f', 'a');
    const worker = scene.worker('g');
    expect(worker.canDo('h')).toBe('QUEUE_ERROR');
    expect(scene.submit('h', 'b')).toBe('QUEUE_ERROR');
    expect(scene.engine.createFunction('h')?.code).toBe('QUEUE_ERROR');
    expect(worker.canDo('f')).toBeUndefined();
    worker.cantDo('g');
    expect(scene.engine.dropFunction('g')).toBeUndefined();
    expect(scene.submit('h', 'b')).toBe('b');
  });

  it('create no function for a submission that is refused', () => {
    const scene = new EngineScene({ maxJobs: 1 });
    scene.queue('f', 'a');
    expect(scene.submit('g', 'b')).toBe('QUEUE_ERROR');
    expect(scene.submit('h', 'c', { unique: 'u'.repeat(65) })).toBe('ARGUMENT_TOO_LARGE');
    expect([...scene.engine.functions].map(({ name }) => name)).toEqual(['f']);
  });

  it('let a unique have 64 bytes', () => {
    const scene = new EngineScene();
    expect(scene.submit('f', 'a', { unique: 'u'.repeat(64) })).toBe('a');
    expect(scene.submit('f', 'b', { unique: 'u'.repeat(65) })).toBe('ARGUMENT_TOO_LARGE');
  });

  it('bound the jobs a worker runs at once: maxRunningPerWorker', () => {
    const scene = new EngineScene({ maxRunningPerWorker: 2 });
    scene.queue('f', 'a', 'b', 'c');
    const worker = scene.worker('f');
    expect(worker.grabAll()).toEqual(['a', 'b']);
    worker.sleep();
    expect(worker.heard()).toEqual([]);
    worker.complete('a');
    expect(worker.heard()).toEqual(['NOOP']);
    expect(worker.grabAll()).toEqual(['c']);
  });

  it('pass a full sleeper by', () => {
    const scene = new EngineScene({ maxRunningPerWorker: 1 });
    scene.queue('f', 'a');
    const full = scene.worker('f');
    expect(full.grab()).toBe('a');
    full.sleep();
    const free = scene.worker('f');
    free.sleep();
    scene.queue('f', 'b');
    expect([full.heard(), free.heard()]).toEqual([[], ['NOOP']]);
    expect(free.grab()).toBe('b');
    full.complete('a');
    scene.queue('f', 'c');
    expect(full.heard()).toEqual(['NOOP']);
  });
});
