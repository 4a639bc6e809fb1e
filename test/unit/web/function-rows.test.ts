import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Engine, type JobSpec } from '../../../lib/job-server/engine/index.js';
import { DeadCounts } from '../../../lib/job-server/storage/index.js';
import type { JobServerCore } from '../../../lib/job-server/core.js';
import { FunctionBoard } from '../../../lib/web/live/function-board.js';
import { COLUMNS, EngineRows, type RowKey } from '../../../lib/web/live/function-rows.js';
import { runs } from '../../support/runs.js';
import { rules, scripts } from '../job-server/engine/model/operations.js';
import { Play } from '../job-server/engine/model/play.js';

/** Set SEED to play a failure again. */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

type Table = Map<RowKey, readonly (number | null)[]>;

interface Scene {
  readonly engine: Engine;
  readonly storedJobs: { health: { dead: DeadCounts } };
  readonly dead: DeadCounts;
  readonly rows: () => EngineRows;
}

/** A job server that is an engine, and what it has in storage. */
function scene(engine = newEngine()): Scene {
  const dead = new DeadCounts();
  const storedJobs = { health: { dead } };
  const jobServer = { engine, storedJobs, tick: () => undefined } as unknown as JobServerCore;
  return { engine, storedJobs, dead, rows: () => new EngineRows(jobServer) };
}

function newEngine(): Engine {
  const engine = new Engine({ handlePrefix: 'H:' }, { due: () => undefined });
  engine.tick(0, 0);
  return engine;
}

function job(name: string): JobSpec {
  return { function: name, unique: '', workload: '', priority: 1, isBackground: true, at: 0 };
}

function all(rows: EngineRows): Table {
  return new Map(Array.from(rows.seen(), ({ key, values }) => [key, [...values]]));
}

function follow(rows: EngineRows, table: Table): string[] {
  const names: string[] = [];
  for (const { key, values } of rows.changes()!) {
    names.push(key.name);
    if (values) table.set(key, [...values]);
    else table.delete(key);
  }
  return names;
}

const byName = (table: Table): object => [...table].map(([{ name }, values]) => [name, ...values]).sort();

describe(`the rows of an engine (SEED=${SEED})`, () => {
  it('are the same by what changed as by looking at all, whatever happens', () => {
    fc.assert(
      fc.property(rules, scripts, (rulesOfRun, script) => {
        const play = new Play(rulesOfRun);
        const { rows } = scene(play.engine);
        const [followed, looked] = [rows(), rows()];
        const table = all(followed);
        for (const [index, operation] of script.entries()) {
          play.step(operation);
          if (index % 3 > 0) continue;
          follow(followed, table);
          expect(byName(table)).toEqual(byName(all(looked)));
        }
      }),
      { seed: SEED, ...runs(6) },
    );
  });

  it('are looked at only where something happened, of however many functions', () => {
    const { engine, rows } = scene();
    for (let number = 0; number < 1_000; number++) engine.createFunction(`f${number}`);
    const seen = rows();
    const table = all(seen);
    expect(table.size).toBe(1_000);
    engine.submit(job('f7'));
    engine.submit(job('f7'));
    engine.pause('f8');
    engine.limitQueue('f9', [1, 1, 1]);
    expect(engine.dropFunction('f10')).toBeUndefined();
    engine.createFunction('new');
    expect(follow(seen, table).sort()).toEqual(['f10', 'f7', 'f8', 'f9', 'new']);
    expect(table.size).toBe(1_000);
    expect(follow(seen, table)).toEqual([]);
  });

  it('tell dead letters of functions, and of names that no function has', () => {
    const { engine, dead, rows } = scene();
    const DEAD = COLUMNS.indexOf('dead');
    const seen = rows();
    const table = all(seen);
    const told = (): object => {
      follow(seen, table);
      return Object.fromEntries([...table].map(([{ name }, values]) => [name, values[DEAD]]));
    };
    dead.add('f', 2);
    expect(told()).toEqual({ f: 2 });
    engine.createFunction('f');
    engine.createFunction('g');
    expect(told()).toEqual({ f: 2, g: 0 });
    dead.add('g', 1);
    dead.add('f', 1);
    expect(told()).toEqual({ f: 3, g: 1 });
    engine.dropFunction('f');
    expect(told()).toEqual({ f: 3, g: 1 });
    dead.add('f', -3);
    dead.add('g', -1);
    expect(told()).toEqual({ g: 0 });
  });

  it('are looked at only where dead letters changed, of however many functions that have some', () => {
    const { dead, rows } = scene();
    for (let number = 0; number < 1_000; number++) dead.add(`f${number}`, 1);
    const seen = rows();
    const table = all(seen);
    expect(table.size).toBe(1_000);
    dead.add('f7', 1);
    dead.add('f8', -1);
    expect(follow(seen, table).sort()).toEqual(['f7', 'f8']);
    expect([table.size, follow(seen, table)]).toEqual([999, []]);
  });

  it('are all looked at again once the storage was opened anew', () => {
    const { storedJobs, dead, rows } = scene();
    dead.add('f', 1);
    const seen = rows();
    expect(all(seen).size).toBe(1);
    storedJobs.health.dead = new DeadCounts();
    expect(seen.changes()).toBeUndefined();
    expect(all(seen).size).toBe(0);
    expect(seen.changes()).toBeDefined();
  });

  it('are looked at again as long as nobody knows since when the oldest job waits that is in storage alone', () => {
    const { engine, rows } = scene();
    engine.createFunction('f');
    const function_ = engine.functions.find('f')!;
    const seen = rows();
    const table = all(seen);
    function_.stored[1] = 1;
    engine.functions.touched.add(function_);
    expect([follow(seen, table), follow(seen, table)]).toEqual([['f'], ['f']]);
    function_.storedSince = [undefined, 5];
    expect([follow(seen, table), follow(seen, table)]).toEqual([['f'], []]);
  });

  it('remember nothing while nobody looks on, and are all looked at once somebody does again', () => {
    const { engine, rows } = scene();
    const seen = rows();
    expect(seen.changes()).toBeUndefined();
    all(seen);
    expect(seen.changes()).toBeDefined();
    seen.rest();
    engine.createFunction('f');
    expect(seen.changes()).toBeUndefined();
    expect(all(seen).size).toBe(1);
  });
});

describe('a board that follows what changes', () => {
  it('tells the same as one that looked at all, and forgets what is gone', () => {
    const board = new FunctionBoard<string>((name) => ({ name }));
    const told = (since: number): object[] =>
      [...board.changes(since, () => true)].map((piece) => JSON.parse(`{${piece}}`));
    const all = board.look(['f', 'g', 'h'].map((key) => ({ key, values: [1] })));
    while (!all.next().done);
    const changes = [
      { key: 'f', values: [2] },
      { key: 'g', values: undefined },
      { key: 'h', values: [1] },
      { key: 'never seen', values: undefined },
      { key: 'i', values: [3] },
    ];
    const slices = board.follow(changes);
    while (!slices.next().done);
    expect(told(1)).toEqual([{ names: [4, 'i'], rows: [1, [2], 4, [3]], gone: [2] }]);
    expect(told(0)).toEqual([{ names: [1, 'f', 3, 'h', 'i'], rows: [1, [2], 3, [1], [3]], gone: [] }]);
    expect(told(2)).toEqual([]);
  });
});
