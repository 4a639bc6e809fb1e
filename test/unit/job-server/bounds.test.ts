import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { Engine, Refusal } from '../../../lib/job-server/engine/index.js';
import { countOne } from '../../../lib/job-server/front/traffic.js';
import { MAX_WATCHERS } from '../../../lib/job-server/operations/index.js';
import { LogStorage, MAX_SETTINGS, MemoryStorage, type JobStorage } from '../../../lib/job-server/storage/index.js';
import { prometheusText } from '../../../lib/telemetry/forms/index.js';
import { atEnd } from '../../support/cleanup.js';
import { startFront } from '../../support/front.js';
import { tempDir } from '../../support/temp-dir.js';
import { usedBytes } from '../../support/used-bytes.js';

/** What may come and go whatever is done; one that grows with what is driven past a limit here would take several times this. */
const NOISE = 2_000_000;

/** How much more memory is in use after something. */
function grownBy(act: () => void): number {
  const before = usedBytes();
  act();
  return usedBytes() - before;
}

/** A name of its own that nothing else keeps in memory. */
const nameOf = (kind: string, number: number): string => `${kind}${number}`.padEnd(400, '.');

describe('memory does not grow past its bound, however much more is wanted:', () => {
  it('functions that something is set for, 10,000', () => {
    const engine = new Engine({ handlePrefix: 'H:' }, { due: () => undefined });
    engine.tick(0, 0);
    const set = (from: number, to: number): unknown[] => {
      const refused: unknown[] = [];
      for (let number = from; number < to; number++) {
        const answer = engine.setFunction(nameOf('f', number), { isPaused: true, limits: undefined });
        if (answer) refused.push(answer);
      }
      return refused;
    };
    expect(set(0, 10_000)).toEqual([]);
    let refused: unknown[] = [];
    expect(grownBy(() => (refused = set(10_000, 40_000).slice(-1)))).toBeLessThan(NOISE);
    expect(refused).toEqual([expect.any(Refusal)]);
    expect([[...engine.functions.settings].length, engine.functions.size]).toEqual([10_000, 10_000]);
  });

  it.each<[where: string, make: () => JobStorage]>([
    ['in memory', () => new MemoryStorage()],
    ['in files', () => new LogStorage({ path: tempDir() })],
  ])('settings of a storage %s, 25,000', async (_where, make) => {
    const storage = make();
    await storage.open({ ready: () => undefined, trouble: () => undefined, lost: () => undefined } as never);
    atEnd(() => storage.close());
    for (let number = 0; number < MAX_SETTINGS; number++) storage.set(nameOf('s', number), '1');
    await storage.flush();
    let refused = 0;
    const attempt = (): void => {
      for (let number = MAX_SETTINGS; number < 2 * MAX_SETTINGS; number++) {
        try {
          storage.set(nameOf('s', number), '1');
        } catch {
          refused++;
        }
      }
    };
    expect(grownBy(attempt)).toBeLessThan(NOISE);
    expect([refused, storage.settings().size]).toEqual([MAX_SETTINGS, MAX_SETTINGS]);
  });

  it('those who look on at jobs, 256', async () => {
    const { operations } = (await startFront()).server;
    for (let number = 0; number < MAX_WATCHERS; number++) operations.watch(`H:x:${number}`, {});
    let refused = 0;
    const attempt = (): void => {
      for (let number = 0; number < 20_000; number++) {
        const bytes = Buffer.alloc(1_000);
        if (!operations.watch(nameOf('H:y:', number), { data: () => bytes })) refused++;
      }
    };
    expect(grownBy(attempt)).toBeLessThan(NOISE);
    expect(refused).toBe(20_000);
  });

  it('functions that metrics tell by name, 200', async () => {
    const { server } = await startFront();
    const { engine } = coreOf(server);
    const comeAndGo = (from: number, to: number): void => {
      for (let number = from; number < to; number++) {
        const name = nameOf('f', number);
        engine.submit({ function: name, unique: '', workload: '', priority: 1, isBackground: true, at: 0 });
        if (number % 500 === 0) server.metrics();
        for (const job of [...engine.jobs()]) engine.cancel(engine.handleOf(job));
        engine.dropFunction(name);
      }
    };
    const series = (): number => prometheusText(server.metrics()).split('\n').length;
    // Those that are there when somebody reads get a name.
    for (let number = 0; number < 200; number++) {
      engine.submit({ function: `${number}`, unique: '', workload: '', priority: 1, isBackground: true, at: 0 });
    }
    comeAndGo(0, 501);
    const told = series();
    expect(grownBy(() => comeAndGo(501, 20_000))).toBeLessThan(NOISE);
    expect(series()).toBe(told);
  });

  it('kinds of refusals that are counted, 64', () => {
    const counts = new Map<string, number>();
    const count = (from: number, to: number): void => {
      for (let number = from; number < to; number++) countOne(counts, nameOf('CODE', number));
    };
    count(0, 64);
    expect(grownBy(() => count(64, 50_000))).toBeLessThan(NOISE);
    countOne(counts, nameOf('CODE', 7));
    expect([counts.size, counts.get(nameOf('CODE', 7))]).toEqual([64, 2]);
  });
});
