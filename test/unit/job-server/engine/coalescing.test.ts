import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

const ABANDONED_TIMEOUT = 60_000;

describe('coalescing', () => {
  it.each([
    { first: false, second: false },
    { first: false, second: true },
    { first: true, second: false },
    { first: true, second: true },
  ])('joins background $second to background $first, queued', ({ first, second }) => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    expect(one.submit('f', 'a', { unique: 'u', background: first })).toBe('a');
    expect(other.submit('f', 'b', { unique: 'u', background: second })).toBe('a');
    expect(scene.status('f')).toBe('1 0 0');
    const worker = scene.worker('f');
    expect(worker.grabAll()).toEqual(['a']);
    worker.complete('a', 'done');
    expect(one.heard()).toEqual(first ? [] : ['COMPLETE a done']);
    expect(other.heard()).toEqual(second ? [] : ['COMPLETE a done']);
    expect(scene.status('f')).toBe('0 0 1');
  });

  it.each([true, false])('joins a running job, first background %s, and hears what follows', (background) => {
    const scene = new EngineScene();
    const [one, late] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u', background });
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    worker.sendData('a', 'missed');
    expect(late.submit('f', 'b', { unique: 'u' })).toBe('a');
    worker.sendData('a', 'heard');
    worker.complete('a', 'done');
    expect(late.heard()).toEqual(['DATA a heard', 'COMPLETE a done']);
    expect(one.heard()).toEqual(background ? [] : ['DATA a missed', 'DATA a heard', 'COMPLETE a done']);
    expect(worker.grab()).toBe('NO_JOB');
  });

  it('tells a connection as often as it submitted', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a', { unique: 'u' });
    client.submit('f', 'b', { unique: 'u' });
    client.submit('f', 'c', { unique: 'u', background: true });
    const worker = scene.worker('f');
    worker.grab();
    worker.warn('a', 'w');
    worker.report('a', '1', '2');
    worker.complete('a', 'done');
    const twice = (line: string): string[] => [line, line];
    expect(client.heard()).toEqual([...twice('WARNING a w'), ...twice('STATUS a 1/2'), ...twice('COMPLETE a done')]);
  });

  it('takes the same unique under two functions for two jobs', () => {
    const scene = new EngineScene();
    expect(scene.submit('f', 'a', { unique: 'u' })).toBe('a');
    expect(scene.submit('g', 'b', { unique: 'u' })).toBe('b');
  });

  it('does not coalesce without a unique', () => {
    const scene = new EngineScene();
    expect(scene.submit('f', 'a')).toBe('a');
    expect(scene.submit('f', 'b')).toBe('b');
  });

  it('does not raise the priority', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { unique: 'u', priority: 'low', background: true });
    scene.submit('f', 'b', { background: true });
    scene.submit('f', 'c', { unique: 'u', priority: 'high', background: true });
    expect(scene.worker('f').grabAll()).toEqual(['b', 'a']);
  });

  it('begins a new job once the old one is over', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { unique: 'u', background: true });
    const worker = scene.worker('f');
    worker.grab();
    worker.complete('a');
    expect(scene.submit('f', 'b', { unique: 'u', background: true })).toBe('b');
  });

  it('joins a delayed job', () => {
    const scene = new EngineScene();
    scene.submit('f', 'a', { unique: 'u', background: true, at: scene.now + 1_000 });
    const client = scene.client();
    expect(client.submit('f', 'b', { unique: 'u' })).toBe('a');
    scene.pass(1_000);
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    worker.complete('a', 'done');
    expect(client.heard()).toEqual(['COMPLETE a done']);
  });
});

describe('clients that leave', () => {
  it.each([
    { orders: [true, false], named: 'background, then foreground' },
    { orders: [false, true], named: 'foreground, then background' },
  ])('keep a job that was once submitted in the background: $named', ({ orders }) => {
    const scene = new EngineScene();
    const client = scene.client();
    for (const background of orders) client.submit('f', 'a', { unique: 'u', background });
    client.leave();
    scene.pass(ABANDONED_TIMEOUT * 2);
    expect(scene.worker('f').grab()).toBe('a');
  });

  it('drop a queued foreground job when the last of them leaves, at the latest after abandonedTimeout', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u' });
    other.submit('f', 'b', { unique: 'u' });
    one.leave();
    scene.pass(ABANDONED_TIMEOUT * 2);
    expect(scene.status('f')).toBe('1 0 0');
    other.leave();
    expect(scene.status('f')).toBe('1 0 0');
    scene.pass(ABANDONED_TIMEOUT);
    expect(scene.status('f')).toBe('0 0 0');
    expect(scene.events.at(-1)).toBe('abandoned a');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('leave a queued foreground job that no worker gets', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    client.leave();
    scene.queue('f', 'b');
    expect(scene.worker('f').grabAll()).toEqual(['b']);
    expect(scene.events).toContain('abandoned a');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('wake nobody for a job they left', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    client.leave();
    const worker = scene.worker('f');
    worker.sleep();
    expect(worker.heard()).toEqual([]);
    scene.queue('f', 'b');
    expect(worker.heard()).toEqual(['NOOP']);
  });

  it('let a running job run on', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = scene.worker('f');
    worker.grab();
    client.leave();
    expect(scene.status('f')).toBe('1 1 1');
    expect(worker.complete('a', 'done')).toBeUndefined();
    expect(client.heard()).toEqual([]);
    expect(scene.events.at(-1)).toBe('completed a');
  });

  it('end a running job only they waited for when its worker is lost', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = scene.worker('f');
    worker.grab();
    client.leave();
    worker.leave();
    expect(scene.status('f')).toBe('0 0 0');
    expect(scene.events).toContain('abandoned a');
  });

  it('leave the job they were woken for to nobody when only they waited for it', () => {
    const scene = new EngineScene();
    const both = scene.worker('f');
    both.sleep();
    const other = scene.worker('f');
    other.allYours();
    expect(other.grab()).toBe('kept');
    both.submit('f', 'a');
    expect([both.heard(), other.heard()]).toEqual([['NOOP'], []]);
    both.leave();
    expect(other.heard()).toEqual([]);
    expect(scene.status('f')).toBe('0 0 1');
  });

  it('may come back to an abandoned job', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u' });
    one.leave();
    scene.pass(ABANDONED_TIMEOUT / 2);
    expect(other.submit('f', 'b', { unique: 'u' })).toBe('a');
    scene.pass(ABANDONED_TIMEOUT * 2);
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    worker.complete('a', 'done');
    expect(other.heard()).toEqual(['COMPLETE a done']);
  });

  it('give an abandoned job all of its time again when they leave again', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u' });
    one.leave();
    scene.pass(ABANDONED_TIMEOUT - 1);
    other.submit('f', 'b', { unique: 'u' });
    other.leave();
    scene.pass(ABANDONED_TIMEOUT - 1);
    expect(scene.status('f')).toBe('1 0 0');
    scene.pass(1);
    expect(scene.status('f')).toBe('0 0 0');
  });

  it('drop a delayed job only they waited for', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a', { at: scene.now + 1_000 });
    client.leave();
    scene.pass(1_000 + ABANDONED_TIMEOUT);
    expect(scene.status('f')).toBe('0 0 0');
    expect(scene.engine.tick(scene.now)).toBe(Infinity);
  });

  it('leave the job of a worker they were themselves to nobody', () => {
    const scene = new EngineScene();
    const both = scene.worker('f');
    both.submit('f', 'a');
    expect(both.grab()).toBe('a');
    const other = scene.worker('f');
    other.allYours();
    expect(other.grab()).toBe('kept');
    both.leave();
    expect(other.heard()).toEqual([]);
    expect(scene.status('f')).toBe('0 0 1');
  });
});

describe('WORK_FAIL by a client', () => {
  it('cancels the job for that client only', () => {
    const scene = new EngineScene();
    const [one, other] = [scene.client(), scene.client()];
    one.submit('f', 'a', { unique: 'u' });
    other.submit('f', 'b', { unique: 'u' });
    expect(one.fail('a')).toBeUndefined();
    const worker = scene.worker('f');
    expect(worker.grab()).toBe('a');
    worker.complete('a', 'done');
    expect([one.heard(), other.heard()]).toEqual([[], ['COMPLETE a done']]);
  });

  it('cancels every submission of that client', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a', { unique: 'u' });
    client.submit('f', 'b', { unique: 'u' });
    client.fail('a');
    expect(scene.worker('f').grab()).toBe('NO_JOB');
    expect(client.fail('a')).toBe('JOB_NOT_FOUND');
  });

  it('lets a running job run on', () => {
    const scene = new EngineScene();
    const client = scene.client();
    client.submit('f', 'a');
    const worker = scene.worker('f');
    worker.grab();
    expect(client.fail('a')).toBeUndefined();
    expect(worker.complete('a')).toBeUndefined();
    expect(client.heard()).toEqual([]);
  });

  it('is refused to a stranger', () => {
    const scene = new EngineScene();
    scene.client().submit('f', 'a');
    expect(scene.client().fail('a')).toBe('JOB_NOT_FOUND');
    expect(scene.worker('f').fail('a')).toBe('JOB_NOT_FOUND');
    expect(scene.status('f')).toBe('1 0 1');
  });
});
