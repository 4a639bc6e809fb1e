import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it, jest } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { timesAsLong } from '../../support/patience.js';
import { runs } from '../../support/runs.js';
import { add, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';
import { jobsRead } from './jobs-read.js';

jest.setTimeout(timesAsLong(3));

/** What is told to a storage, without waiting for what came of the step before. */
type Step = { readonly do: 'add' | 'lease' | 'done' | 'retry' | 'flush' | 'wait'; readonly count: number };

const steps: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('add', 'add', 'lease', 'done', 'done', 'retry', 'flush', 'wait'),
  count: fc.integer({ min: 1, max: 25 }),
});

/** A story, and at each turn of the event loop meanwhile what a crash would leave. */
class CrashingStory {
  private readonly path: string;
  private readonly storage: LogStorage;
  /** All that was ever added and may be in the log; and what must be. */
  private readonly known = new Set<string>();
  private readonly durable = new Set<string>();
  private readonly ended = new Set<string>();
  private leased: string[] = [];
  private isOver = false;

  constructor(private readonly folder: string) {
    this.path = join(folder, 'jobs');
    this.storage = new LogStorage({ path: this.path }, { segmentBytes: 4_000, idleSlack: 500 });
  }

  async run(story: readonly Step[]): Promise<void> {
    await this.storage.open(new RecordingListener());
    await Promise.all([this.crashEachTurn(), this.tell(story)]);
  }

  private async tell(story: readonly Step[]): Promise<void> {
    try {
      for (const step of story) await this.let(step);
      await this.flush();
    } finally {
      this.isOver = true;
      await this.storage.close();
    }
  }

  private async let({ do: what, count }: Step): Promise<void> {
    const { storage } = this;
    if (what === 'add') this.add(count);
    else if (what === 'flush') await this.flush();
    else if (what === 'wait') for (let turn = 0; turn < count; turn++) await nextTurn();
    else if (what === 'lease') {
      for (const { handle } of await storage.lease('reverse', 1, count, NOW)) this.leased.push(handle);
    } else {
      for (const handle of this.leased.splice(0, count)) {
        if (what === 'retry') storage.release(handle, { attempts: 1 });
        else {
          this.durable.delete(handle);
          this.ended.add(handle);
          storage.done(handle);
        }
      }
    }
  }

  private add(count: number): void {
    for (let done = 0; done < count; done++) {
      // So little in all that each write is made while nobody else has a turn: none is seen half done.
      const job = newJob({ workload: 'x'.repeat((done * 37) % 100) });
      this.known.add(job.handle);
      void add(this.storage, job, false).stored.then(() => {
        if (!this.ended.has(job.handle)) this.durable.add(job.handle);
      });
    }
  }

  private async flush(): Promise<void> {
    const ended = [...this.ended];
    await this.storage.flush();
    for (const handle of ended) this.known.delete(handle);
  }

  private async crashEachTurn(): Promise<void> {
    while (!this.isOver) {
      const left = this.readAfterCrash();
      expect([...this.durable].filter((handle) => !left.has(handle))).toEqual([]);
      expect([...left].filter((handle) => !this.known.has(handle))).toEqual([]);
      await nextTurn();
    }
  }

  /** The jobs in a copy of the folder as it is now. */
  private readAfterCrash(): Set<string> {
    const copy = join(this.folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const name of readdirSync(this.path)) {
      // Zeros that are nothing to a reader.
      if (name === 'reserve') continue;
      try {
        copyFileSync(join(this.path, name), join(copy, name));
      } catch (error) {
        // It was deleted since the folder was read.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    const { jobs, counted, damages } = jobsRead(copy);
    expect(damages).toEqual([]);
    expect(jobs).toHaveLength(counted);
    return new Set(handlesOf(jobs));
  }
}

it('whenever it crashes, a log has all jobs that it told durable, none that are over, and no damage', async () => {
  const story = fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 15 }), async (told) => {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gearman-crash-'));
    try {
      await new CrashingStory(folder).run(told);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  await fc.assert(story, runs(6));
});
