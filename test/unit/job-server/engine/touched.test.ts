import { describe, expect, it } from '@jest/globals';
import { usedBytes } from '../../../support/used-bytes.js';
import { Engine } from '../../../../lib/job-server/engine/index.js';

function newEngine(maxFunctions: number): Engine {
  const engine = new Engine({ handlePrefix: 'H:', maxFunctions }, { due: () => undefined });
  engine.tick(0, 0);
  return engine;
}

const names = (functions: Iterable<{ name: string }> | undefined): string[] =>
  Array.from(functions!, ({ name }) => name);

describe('the functions that something happened to', () => {
  it('are told to each who watches, once, also those dropped since', () => {
    const engine = newEngine(10);
    const touched = engine.functions.touched;
    const [one, other] = [touched.watch(), touched.watch()];
    engine.createFunction('f');
    expect(names(one.take())).toEqual(['f']);
    engine.createFunction('g');
    engine.dropFunction('g');
    expect([names(one.take()), names(one.take()), names(other.take())]).toEqual([['g'], [], ['f', 'g']]);
  });

  it('are remembered for nobody who stopped', () => {
    const engine = newEngine(10);
    const { touched } = engine.functions;
    const [one, other] = [touched.watch(), touched.watch()];
    one.stop();
    engine.createFunction('f');
    expect([one.size, other.size]).toEqual([0, 1]);
    other.stop();
    engine.createFunction('g');
    expect(other.size).toBe(1);
  });

  it('are bounded in number: of more it is told that they were many, and they take no memory', () => {
    const engine = newEngine(10);
    const watch = engine.functions.touched.watch();
    const many = (count: number): void => {
      for (let number = 0; number < count; number++) {
        engine.createFunction(`f${number}`);
        engine.dropFunction(`f${number}`);
      }
    };
    many(80_000);
    expect([watch.size, watch.take()!.size, watch.size]).toEqual([80_000, 80_000, 0]);
    const before = usedBytes();
    many(120_000);
    expect(watch.size).toBe(0);
    // 120,000 functions that are remembered are 90 MB and more.
    expect(usedBytes() - before).toBeLessThan(20_000_000);
    expect(watch.take()).toBeUndefined();
    engine.createFunction('f');
    expect(names(watch.take())).toEqual(['f']);
  });
});
