import { describe, expect, it } from '@jest/globals';
import { Engine } from '../../../../lib/job-server/engine/index.js';
import { Touched } from '../../../../lib/job-server/engine/touched.js';

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

  it('are bounded in number: of more it is told that they were many, and none of them is remembered', () => {
    const touched = new Touched<number>();
    const watch = touched.watch();
    const many = (count: number): void => {
      for (let number = 0; number < count; number++) touched.add(number);
    };
    many(100_000);
    expect([watch.size, watch.take()!.size, watch.size]).toEqual([100_000, 100_000, 0]);
    many(100_001);
    expect(watch.size).toBe(0);
    many(1);
    expect([watch.size, watch.take()]).toEqual([0, undefined]);
    touched.add(7);
    expect([...watch.take()!]).toEqual([7]);
  });
});
