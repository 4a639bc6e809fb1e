import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobServer } from '../../../lib/job-server/job-server.js';
import { MemoryJobs, MemoryStorage } from '../../../lib/job-server/storage/index.js';
import type { MissedPolicy } from '../../../lib/job-server/schedules/index.js';
import { until } from '../../support/until.js';
import { runs } from '../../support/runs.js';

const START = Date.UTC(2027, 0, 1, 12, 0, 30);
const MINUTE = 60_000;
const WITHIN = 60 * MINUTE;
const ON_TIME = 10_000;

/** Clocks as a machine has them: `passed` may be a look, an adjustment, a leap second, a day of sleep. */
type Step = { readonly passed: number } | 'pause' | 'resume' | 'restart';

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }).map((seconds): Step => ({ passed: seconds * 1_000 })) },
    {
      weight: 2,
      arbitrary: fc.integer({ min: -7_200, max: -1 }).map((seconds): Step => ({ passed: seconds * 1_000 })),
    },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ passed: -1_000 }, { passed: 12 * 3_600_000 }) },
    { weight: 1, arbitrary: fc.constantFrom<Step>('pause', 'resume', 'restart') },
  ),
  { minLength: 1, maxLength: 25 },
);

/** What a schedule of one tick a minute should do, said as shortly as it can be. */
class Model {
  fired: number[] = [];
  private last = START;
  private isPaused = false;

  constructor(private readonly missed: MissedPolicy) {}

  setPaused(isPaused: boolean, now: number): void {
    if (this.isPaused && !isPaused) this.last = Math.max(this.last, now);
    this.isPaused = isPaused;
  }

  look(now: number): void {
    if (this.isPaused || now <= this.last) return;
    const due: number[] = [];
    for (let tick = (Math.floor(this.last / MINUTE) + 1) * MINUTE; tick <= now; tick += MINUTE) due.push(tick);
    const latest = due.at(-1);
    if (latest === undefined) return;
    this.last = latest;
    if (this.missed === 'all') this.fired.push(...due);
    else if (now - latest < ON_TIME || (this.missed === 'once' && now - latest <= WITHIN)) this.fired.push(latest);
  }
}

describe('a schedule, whatever happens to clock and job server,', () => {
  it.each(['once', 'skip', 'all'] as const)('fires what its policy %s says', async (missed) => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const jobs = new MemoryJobs();
        const clocks = {
          date: START,
          get now() {
            return performance.now();
          },
        };
        const start = async (): Promise<JobServer> => {
          const storage = new MemoryStorage(jobs);
          const schedules = { m: { function: 'f', every: MINUTE, missed, overlap: 'queue' as const } };
          const jobServer = new JobServer({ listeners: [], storage, schedules }, clocks);
          await jobServer.start();
          return jobServer;
        };
        const quiet = () => until('nothing fires', () => [...jobServer.schedules.all].every(({ isBusy }) => !isBusy));
        let jobServer = await start();
        const model = new Model(missed);
        try {
          for (const step of story) {
            if (step === 'restart') {
              await jobServer.stop();
              jobServer = await start();
            } else if (step === 'pause' || step === 'resume') {
              jobServer.schedules[step]('m');
              model.setPaused(step === 'pause', clocks.date);
            } else clocks.date += step.passed;
            jobServer.schedules.tick(clocks);
            await quiet();
            model.look(clocks.date);
          }
        } finally {
          await jobServer.stop();
        }
        const uniques = Array.from(jobs.entries.values(), ({ job }) => job.unique);
        expect(uniques.sort()).toEqual(model.fired.map((tick) => `m@${tick / 1_000}`).sort());
      }),
      runs(5),
    );
  });
});
