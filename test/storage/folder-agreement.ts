import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from '@jest/globals';
import { MemoryStorage, type JobStorage, type JobRecord } from '../../lib/job-server/storage/index.js';
import { add, allOf, bytesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';

/** A storage that keeps all it has in a folder. */
export interface FolderStorage {
  /** Makes one; it is not open yet. */
  make(path: string): JobStorage;
  /** Deletes what a start can do without; missing where there is nothing of the kind. */
  forget?(path: string): Promise<void>;
}

/** What may be asked of a storage, as a text that says it: a failing run prints the story. */
type Step =
  | {
      readonly do: 'add';
      readonly jobs: readonly Partial<JobRecord>[];
      readonly lease: boolean;
      readonly isAwaited: boolean;
    }
  | { readonly do: 'lease'; readonly of: string; readonly priority: 0 | 1; readonly count: number }
  | { readonly do: 'end'; readonly how: (typeof ENDS)[number]; readonly which: number; readonly count: number }
  | { readonly do: 'remove' | 'replay' | 'purge' | 'leaseOne'; readonly which: number }
  | { readonly do: 'restart' | 'reread' | 'crash' | 'flush' };

const ENDS = ['done', 'keep', 'bury', 'release', 'retry', 'later', 'at once', 'change'] as const;

const which = fc.nat({ max: 1_000 });
const jobs = fc.record({
  function: fc.constantFrom('f', 'f', 'f', 'g'),
  priority: fc.constantFrom(0 as const, 1 as const, 1 as const),
  unique: fc.constantFrom('', '', '', 'u', 'v'),
  workload: fc.constantFrom('', 'x'.repeat(100), 'y'.repeat(3_000), '\0\xff'),
  at: fc.constantFrom(0, 0, 0, 0, NOW - 1, NOW + 5),
});
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      jobs: fc.array(jobs, { minLength: 1, maxLength: 40, size: 'max' }),
      lease: fc.boolean(),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('lease' as const),
      of: fc.constantFrom('f', 'f', 'g'),
      priority: fc.constantFrom(0 as const, 1 as const, 1 as const),
      count: fc.integer({ min: 1, max: 15 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      how: fc.constantFrom(...ENDS),
      which,
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'leaseOne' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('replay' as const, 'purge' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('restart' as const, 'reread' as const, 'crash' as const, 'flush' as const),
    }),
  },
);

/** Random stories, for {@link agreesWithMemory}. */
export const stories = fc.array(steps, { maxLength: 40, size: 'max' });

/** One storage, and what a caller remembers of it. */
class Told {
  readonly handles: string[] = [];
  private leased: string[] = [];
  readonly listener = new RecordingListener();

  constructor(
    private storage: JobStorage,
    private path = '',
    private readonly kind?: FolderStorage,
  ) {}

  async open(): Promise<void> {
    await this.storage.open(this.listener);
  }

  async close(): Promise<void> {
    await this.storage.close();
  }

  /** Does a step; answers all that can be seen of it. */
  async let(step: Step, firstHandle: number): Promise<unknown> {
    const { storage, handles } = this;
    switch (step.do) {
      case 'add':
        return this.add(step, firstHandle);
      case 'lease': {
        const found = await storage.lease(step.of, step.priority, step.count, NOW);
        this.leased.push(...found.map(({ handle }) => handle));
        return found.map(plain);
      }
      case 'end':
        this.leased
          .splice(step.which % (this.leased.length + 1), step.count)
          .forEach((handle) => this.end(handle, step.how));
        return this.leased.length;
      case 'leaseOne': {
        const found = await storage.leaseOne(handles[step.which % handles.length] ?? '');
        if (found) this.leased.push(found.handle);
        return found && plain(found);
      }
      case 'remove':
      case 'replay':
      case 'purge': {
        const handle = handles[step.which % handles.length] ?? '';
        if (step.do === 'remove') this.leased = this.leased.filter((each) => each !== handle);
        return storage[step.do](handle);
      }
      case 'flush':
        return storage.flush();
      case 'restart':
      case 'reread':
        this.leased = [];
        await storage.close();
        if (step.do === 'reread') await this.kind?.forget?.(this.path);
        return storage.open(this.listener);
      case 'crash':
        this.leased = [];
        await storage.flush();
        return this.crash();
    }
  }

  /** What goes on is a copy of the folder as it was before the storage was closed. */
  private async crash(): Promise<void> {
    const { kind } = this;
    if (kind) this.path = copyOf(this.path);
    await this.storage.close();
    if (kind) this.storage = kind.make(this.path);
    await this.open();
  }

  /** All that a storage tells of what it has. */
  async all(): Promise<unknown> {
    const { storage } = this;
    const found = await Promise.all(this.handles.map((handle) => storage.findByHandle(handle)));
    const uniques = await Promise.all(['u', 'v'].map((unique) => storage.findByUnique(unique, 'f')));
    return {
      counts: storage.counts().sort((one, other) => (one.function < other.function ? -1 : 1)),
      jobs: (await allOf(storage.iterate({ pageSize: 7 })))
        .map(plain)
        .sort((one, other) => (one.handle < other.handle ? -1 : 1)),
      dead: (await allOf(storage.deadLetters())).map(({ job, error }) => [job.handle, error]).sort(),
      found: found.map((each) => each && [each.state, 'job' in each ? plain(each.job) : undefined]),
      uniques: uniques.map((found) => found?.job.handle),
      corrupt: this.listener.corrupt,
    };
  }

  private async add({ jobs: some, lease, isAwaited }: Step & { do: 'add' }, firstHandle: number): Promise<unknown> {
    const additions = some.map((job, index) => {
      const handle = `H:test:${firstHandle + index}`;
      this.handles.push(handle);
      const addition = add(this.storage, newJob({ ...job, handle }), lease);
      if (addition.isLeased) this.leased.push(handle);
      return addition;
    });
    const stored = Promise.all(additions.map((addition) => addition.stored));
    const told = isAwaited ? (await stored).map((job) => job?.handle) : [];
    return [additions.map(({ isLeased }) => isLeased), told];
  }

  private end(handle: string, how: (typeof ENDS)[number]): void {
    const { storage } = this;
    switch (how) {
      case 'done':
        return storage.done(handle);
      case 'keep':
        return storage.done(handle, { state: 'complete', result: handle, keepUntil: NOW + 9 });
      case 'bury':
        return storage.bury(handle, `${handle} was poison`, NOW);
      case 'release':
        return storage.release(handle);
      case 'retry':
        return storage.release(handle, { attempts: 2 });
      case 'later':
        return storage.release(handle, { attempts: 1, at: NOW - 2 });
      case 'at once':
        return storage.release(handle, { losses: 3, at: 0 });
      case 'change':
        storage.change(handle, { losses: 4 });
        this.leased.push(handle);
    }
  }
}

/** A copy of a folder as it is now; what is being deleted may be missing. */
function copyOf(path: string): string {
  const copy = `${path}+`;
  mkdirSync(copy);
  for (const name of readdirSync(path)) {
    try {
      copyFileSync(join(path, name), join(copy, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return copy;
}

/** A job without its sequence, whose numbers are a storage's own. */
function plain({ workload, handle, ...job }: JobRecord): { handle: string } {
  const rest: Partial<Record<string, unknown>> = { ...job };
  delete rest['sequence'];
  return { handle, ...rest, workload: bytesOf(workload).toString('latin1') } as { handle: string };
}

/** Tells a story to a storage in a folder and to one in memory, which answer the same: restarts and crashes are among it. */
export async function agreesWithMemory(kind: FolderStorage, story: readonly Step[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gearman-storage-'));
  const path = join(folder, 'jobs');
  const [file, memory] = [new Told(kind.make(path), path, kind), new Told(new MemoryStorage())];
  try {
    await Promise.all([file.open(), memory.open()]);
    let handles = 1;
    for (const step of [
      ...story,
      { do: 'restart' } as const,
      { do: 'lease', of: 'f', priority: 1, count: 500 } as const,
    ]) {
      expect([step, await file.let(step, handles)]).toEqual([step, await memory.let(step, handles)]);
      handles += 50;
      if (step.do === 'flush' || step.do === 'restart' || step.do === 'reread' || step.do === 'crash')
        expect(await file.all()).toEqual(await memory.all());
    }
    expect(await file.all()).toEqual(await memory.all());
  } finally {
    await Promise.allSettled([file.close(), memory.close()]);
    await rm(folder, { recursive: true });
  }
}
