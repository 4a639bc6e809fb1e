import { describe, expect, it } from '@jest/globals';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';

function slow(scene: EngineScene, timeout: number): ScenePeer {
  const worker = scene.worker();
  worker.canDo('f', timeout);
  return worker;
}

describe('CAN_DO_TIMEOUT', () => {
  it('queues a job that runs too long again, silently', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = slow(scene, 5_000);
    expect(worker.grab()).toBe('a');
    scene.pass(4_999);
    expect(scene.status('f')).toBe('1 1 1');
    scene.pass(1);
    expect(scene.status('f')).toBe('1 0 1');
    expect(scene.events.at(-1)).toBe('requeued a');
    expect(client.heard()).toEqual([]);
    expect(scene.worker('f').grab()).toBe('a');
  });

  it('counts less than a second as a second, and 0 as no limit', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b');
    expect(slow(scene, 5).grab()).toBe('a');
    expect(slow(scene, 0).grab()).toBe('b');
    scene.pass(999);
    expect(scene.status('f')).toBe('2 2 2');
    scene.pass(1);
    expect(scene.status('f')).toBe('2 1 2');
    scene.pass(1_000_000);
    expect(scene.status('f')).toBe('2 1 2');
  });

  it('holds for jobs given out from then on when registered again', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b');
    const worker = slow(scene, 0);
    expect(worker.grab()).toBe('a');
    worker.canDo('f', 2_000);
    expect(worker.grab()).toBe('b');
    scene.pass(2_000);
    expect(scene.events.filter((event) => event.startsWith('requeued'))).toEqual(['requeued b']);
    worker.canDo('f');
    expect(worker.grab()).toBe('b');
    scene.pass(10_000);
    expect(scene.status('f')).toBe('2 2 1');
  });

  it.each([
    { say: 'complete', heard: 'COMPLETE a late' },
    { say: 'fail', heard: 'FAIL a' },
    { say: 'exception', heard: 'FAIL a' },
  ] as const)('takes the late result when it is the first, while the job waits: $say', ({ say, heard }) => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = slow(scene, 1_000);
    worker.grab();
    scene.pass(1_000);
    expect(worker[say]('a', 'late')).toBeUndefined();
    expect(client.heard()).toEqual([heard]);
    expect(scene.status('f')).toBe('0 0 1');
    expect(worker[say]('a', 'again')).toBe('JOB_NOT_FOUND');
    expect(scene.worker('f').grab()).toBe('NO_JOB');
  });

  it('gives the job back to the late worker that goes on with it while it waits, all it says included', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const late = slow(scene, 2_000);
    late.grab();
    late.sendData('a', 'one');
    scene.pass(2_000);
    expect(scene.status('f')).toBe('1 0 1');
    expect(late.sendData('a', 'two')).toBeUndefined();
    expect(scene.status('f')).toBe('1 1 1');
    expect(scene.worker('f').grab()).toBe('NO_JOB');
    expect(late.warn('a', 'hot')).toBeUndefined();
    expect(late.report('a', '3', '4')).toBeUndefined();
    expect(late.complete('a', 'end')).toBeUndefined();
    expect(client.heard()).toEqual(['DATA a one', 'DATA a two', 'WARNING a hot', 'STATUS a 3/4', 'COMPLETE a end']);
    expect(scene.events).toEqual([
      'submitted a',
      'worker joined',
      'assigned a',
      'requeued a',
      'assigned a',
      'worker joined',
      'completed a',
    ]);
  });

  it.each(['sendData', 'warn', 'report'] as const)('has it again by %s, for as long as it had it before', (say) => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const late = slow(scene, 5_000);
    late.grab();
    scene.pass(6_000);
    expect(late[say]('a', '1', '2')).toBeUndefined();
    scene.pass(4_999);
    expect(scene.status('f')).toBe('1 1 1');
    scene.pass(1);
    expect(scene.status('f')).toBe('1 0 1');
    expect(scene.job('a')?.losses).toBe(2);
  });

  it('lets a late worker that gave the function up go on as well', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const late = slow(scene, 1_000);
    late.grab();
    scene.pass(1_000);
    late.cantDo('f');
    expect(late.sendData('a', 'x')).toBeUndefined();
    scene.pass(1_000);
    expect(scene.status('f')).toBe('1 0 0');
    expect(late.complete('a', 'end')).toBeUndefined();
    expect(client.heard()).toEqual(['DATA a x', 'COMPLETE a end']);
  });

  it('wakes nobody in vain for a job that was taken up, and gives the next one to whom it woke', () => {
    const scene = new EngineScene();
    const late = slow(scene, 1_000);
    scene.queue('f', 'a');
    late.grab();
    const idle = scene.worker('f');
    idle.sleep();
    scene.pass(1_000);
    expect(idle.heard()).toEqual(['NOOP']);
    late.sendData('a', 'x');
    expect(idle.grab()).toBe('NO_JOB');
    idle.sleep();
    scene.queue('f', 'b');
    expect(idle.heard()).toEqual(['NOOP']);
    expect(idle.grab()).toBe('b');
  });

  it('takes nothing from the late worker once another runs the job', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const late = slow(scene, 1_000);
    late.grab();
    scene.pass(1_000);
    const second = scene.worker('f');
    expect(second.grab()).toBe('a');
    const said = [late.sendData('a', 'x'), late.warn('a', 'x'), late.report('a', '1', '2'), late.complete('a', 'x')];
    said.push(late.fail('a'), late.exception('a', 'x'));
    expect(said).toEqual(Array(6).fill('JOB_NOT_FOUND'));
    expect(client.heard()).toEqual([]);
    expect(second.complete('a', 'second')).toBeUndefined();
    expect(client.heard()).toEqual(['COMPLETE a second']);
    expect(scene.status('f')).toBe('0 0 2');
  });

  it('takes nothing from it either when the other one has lost the job again', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const late = slow(scene, 1_000);
    late.grab();
    scene.pass(1_000);
    const second = scene.worker('f');
    second.grab();
    second.leave();
    expect(late.complete('a', 'x')).toBe('JOB_NOT_FOUND');
    expect(scene.status('f')).toBe('1 0 1');
  });

  it('refuses the late result when it is not the first', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const first = slow(scene, 1_000);
    first.grab();
    scene.pass(1_000);
    const second = scene.worker('f');
    second.grab();
    expect(second.complete('a', 'second')).toBeUndefined();
    expect(first.complete('a', 'late')).toBe('JOB_NOT_FOUND');
    expect(client.heard()).toEqual(['COMPLETE a second']);
  });

  it('may give the job to the same worker again, and takes one result', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const worker = slow(scene, 1_000);
    for (let run = 0; run < 3; run++) {
      expect(worker.grab()).toBe('a');
      scene.pass(1_000);
    }
    expect(worker.grab()).toBe('a');
    expect(worker.complete('a')).toBeUndefined();
    expect(worker.complete('a')).toBe('JOB_NOT_FOUND');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('forgets the late worker when it leaves', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const worker = slow(scene, 1_000);
    worker.grab();
    scene.pass(1_000);
    worker.leave();
    expect(scene.job('a')?.lateWorker).toBeUndefined();
    expect(worker.complete('a')).toBe('JOB_NOT_FOUND');
    expect(scene.status('f')).toBe('1 0 0');
  });

  it('counts as a loss', () => {
    const scene = new EngineScene({ jobRetries: 2 });
    const client = scene.client();
    client.submit('f', 'a');
    const worker = slow(scene, 1_000);
    worker.grab();
    scene.pass(1_000);
    worker.grab();
    expect(client.heard()).toEqual([]);
    scene.pass(1_000);
    expect(client.heard()).toEqual(['FAIL a']);
    expect(worker.complete('a')).toBe('JOB_NOT_FOUND');
  });

  it('does not run out once the job is over', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    const worker = slow(scene, 1_000);
    worker.grab();
    worker.complete('a');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
    scene.pass(1_000);
    expect(scene.status('f')).toBe('0 0 1');
  });

  it('frees a slot of a worker that is full', () => {
    const scene = new EngineScene({ maxRunningPerWorker: 1 });
    scene.queue('f', 'a');
    const worker = slow(scene, 1_000);
    worker.canDo('g');
    worker.grab();
    worker.sleep();
    scene.queue('g', 'b');
    expect(worker.heard()).toEqual([]);
    scene.pass(1_000);
    expect(worker.heard()).toEqual(['NOOP']);
  });
});
