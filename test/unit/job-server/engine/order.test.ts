import { describe, expect, it } from '@jest/globals';
import { EngineScene } from '../../../support/engine-scene.js';

describe("order '2.0'", () => {
  it('gives the jobs of a function first in, first out', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b', 'c');
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b', 'c']);
  });

  it('gives high before normal before low, over all functions a worker can do', () => {
    const scene = new EngineScene();
    for (const priority of ['low', 'normal', 'high'] as const) {
      for (const name of ['f', 'g']) scene.submit(name, `${name} ${priority}`, { priority, background: true });
    }
    expect(scene.worker('f', 'g').grabAll()).toEqual(['f high', 'g high', 'f normal', 'g normal', 'f low', 'g low']);
  });

  it('takes turns between functions of equal priority', () => {
    const scene = new EngineScene();
    scene.queue('f', 'f1', 'f2', 'f3');
    scene.queue('g', 'g1', 'g2');
    scene.queue('h', 'h1');
    expect(scene.worker('h', 'f', 'g').grabAll()).toEqual(['f1', 'g1', 'h1', 'f2', 'g2', 'f3']);
  });

  it('takes turns for each worker by itself', () => {
    const scene = new EngineScene();
    scene.queue('f', 'f1', 'f2', 'f3');
    scene.queue('g', 'g1', 'g2', 'g3');
    const one = scene.worker('f', 'g');
    const other = scene.worker('f', 'g');
    expect([one.grab(), other.grab(), one.grab(), other.grab()]).toEqual(['f1', 'f2', 'g1', 'g2']);
  });

  it('takes turns within each priority, whatever of another priority comes between', () => {
    const scene = new EngineScene();
    const worker = scene.worker('f', 'g', 'h');
    scene.queue('f', 'f1', 'f2', 'f3');
    scene.queue('h', 'h1', 'h2', 'h3');
    const grabbed: string[] = [];
    for (let round = 1; round <= 4; round++) {
      scene.submit('g', `urgent ${round}`, { priority: 'high', background: true });
      grabbed.push(worker.grab(), worker.grab());
    }
    expect(grabbed.filter((label) => !label.startsWith('urgent'))).toEqual(['f1', 'h1', 'f2', 'h2']);
  });

  it('gives a worker nothing of a function it did not register', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a');
    expect(scene.worker('g').grab()).toBe('NO_JOB');
    expect(scene.worker().grab()).toBe('NO_JOB');
  });

  it('puts what a lost worker held back in its old place', () => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b', 'c', 'd');
    const lost = scene.worker('f');
    expect([lost.grab(), lost.grab()]).toEqual(['a', 'b']);
    scene.queue('f', 'e');
    lost.leave();
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([
    { leaving: [0, 1, 2], named: 'in the order they took them' },
    { leaving: [2, 1, 0], named: 'in the opposite order' },
    { leaving: [1, 2, 0], named: 'in any order' },
  ])("puts several workers' jobs back in their old places when they leave $named", ({ leaving }) => {
    const scene = new EngineScene();
    scene.queue('f', 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    const workers = [scene.worker('f'), scene.worker('f'), scene.worker('f')];
    for (const worker of [...workers, ...workers]) worker.grab();
    for (const index of leaving) workers[index]!.leave();
    expect(scene.worker('f').grabAll()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('puts a lost job back under its own priority', () => {
    const scene = new EngineScene();
    scene.submit('f', 'high', { priority: 'high', background: true });
    scene.submit('f', 'normal', { background: true });
    const lost = scene.worker('f');
    expect(lost.grabAll()).toEqual(['high', 'normal']);
    scene.submit('f', 'high 2', { priority: 'high', background: true });
    lost.leave();
    expect(scene.worker('f').grabAll()).toEqual(['high', 'high 2', 'normal']);
  });
});

describe("order '1.1'", () => {
  it('serves the function registered last first, and each to its end', () => {
    const scene = new EngineScene({ order: '1.1' });
    scene.queue('f', 'f1', 'f2');
    scene.queue('g', 'g1', 'g2');
    expect(scene.worker('f', 'g').grabAll()).toEqual(['g1', 'g2', 'f1', 'f2']);
    scene.queue('f', 'f3');
    scene.queue('g', 'g3');
    expect(scene.worker('g', 'f').grabAll()).toEqual(['f3', 'g3']);
  });

  it('counts priority only within a function', () => {
    const scene = new EngineScene({ order: '1.1' });
    scene.submit('g', 'g low', { priority: 'low', background: true });
    scene.submit('f', 'f low', { priority: 'low', background: true });
    scene.submit('f', 'f high', { priority: 'high', background: true });
    expect(scene.worker('f', 'g').grabAll()).toEqual(['g low', 'f high', 'f low']);
  });

  it('serves a function that was given up and registered anew first', () => {
    const scene = new EngineScene({ order: '1.1' });
    const worker = scene.worker('f', 'g');
    worker.cantDo('f');
    worker.canDo('f');
    scene.queue('f', 'f1');
    scene.queue('g', 'g1');
    expect(worker.grabAll()).toEqual(['f1', 'g1']);
  });

  it('puts what a lost worker held at the end, reversed', () => {
    const scene = new EngineScene({ order: '1.1' });
    scene.queue('f', 'a', 'b', 'c', 'd');
    const lost = scene.worker('f');
    expect([lost.grab(), lost.grab(), lost.grab()]).toEqual(['a', 'b', 'c']);
    lost.leave();
    expect(scene.worker('f').grabAll()).toEqual(['d', 'c', 'b', 'a']);
  });

  it('puts what each of several lost workers held at the end as it left', () => {
    const scene = new EngineScene({ order: '1.1' });
    scene.queue('f', 'a', 'b', 'c', 'd', 'e');
    const first = scene.worker('f');
    const second = scene.worker('f');
    expect([first.grab(), second.grab(), first.grab(), second.grab()]).toEqual(['a', 'b', 'c', 'd']);
    second.leave();
    first.leave();
    expect(scene.worker('f').grabAll()).toEqual(['e', 'd', 'b', 'c', 'a']);
  });
});
