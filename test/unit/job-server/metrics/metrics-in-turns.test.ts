import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { JobServerMetrics, type MeasuredJobServer } from '../../../../lib/job-server/metrics/index.js';
import type { MetricFamily } from '../../../../lib/telemetry/metrics/index.js';
import { startFront } from '../../../support/front.js';

/** A job server of 1,000 functions that had a job, two of them told by name, and turns that a test has in hand. */
async function manyFunctions() {
  const front = await startFront({ metrics: { maxFunctions: 2 } });
  const core = coreOf(front.server);
  for (let number = 0; number < 1_000; number++) {
    core.engine.submit({ function: `f${number}`, unique: '', workload: '', priority: 1, isBackground: true, at: 0 });
  }
  const turns = {
    taken: 0,
    isOver: true,
    then: (): void => undefined,
    async next(): Promise<void> {
      turns.taken++;
      turns.then();
    },
  };
  const metrics = new JobServerMetrics(Object.create(core, { turns: { value: turns } }) as MeasuredJobServer, 2);
  return { front, metrics, turns };
}

describe('the metrics of a job server of many functions', () => {
  it('are read in turns as they are read at once, by everybody who asks meanwhile', async () => {
    const { front, metrics, turns } = await manyFunctions();
    const [one, other] = [metrics.metricsInTurns(), metrics.metricsInTurns()];
    expect(one).toBe(other);
    const families = await one;
    // One that is told by its name is a turn, and so are a hundred others.
    expect(turns.taken).toBe(2 + 9);
    const withoutLoop = (families: readonly MetricFamily[]): readonly MetricFamily[] =>
      families.filter(({ name }) => !/event_loop|oldest_waiting/.test(name));
    expect(withoutLoop(families)).toEqual(withoutLoop(front.server.metrics()));
    expect(metrics.metricsInTurns()).not.toBe(one);
  });

  it('lose nothing that was counted where a function is dropped while they are read', async () => {
    const { front, metrics, turns } = await manyFunctions();
    const { engine } = coreOf(front.server);
    const cancelled = (families: readonly MetricFamily[]): number =>
      families.find(({ name }) => name === 'gearman_all_jobs_cancelled_total')!.samples[0]!.value as number;
    for (const job of [...engine.jobs()]) engine.cancel(engine.handleOf(job));
    turns.then = () => {
      // One that was looked at by now, and one that is looked at later.
      for (const name of ['f0', 'f999']) engine.dropFunction(name);
    };
    expect([cancelled(await metrics.metricsInTurns()), engine.functions.find('f999')]).toEqual([1_000, undefined]);
    expect(cancelled(await metrics.metricsInTurns())).toBe(1_000);
  });
});
