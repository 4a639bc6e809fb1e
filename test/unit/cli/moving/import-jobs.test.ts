import { beforeEach, describe, expect, it } from '@jest/globals';
import { importJobs, type ImportCounts } from '../../../../lib/cli/moving/import-jobs.js';
import { Unfit, type Incoming } from '../../../../lib/cli/moving/incoming.js';
import { MemoryStorage, StorageError, type JobRecord } from '../../../../lib/job-server/storage/index.js';

const DEAF = { ready: () => undefined, trouble: () => undefined, setAside: () => undefined };

function incoming(number: number, change: Partial<JobRecord> = {}): Incoming {
  const rest = { priority: 1, workload: '', reducer: '', at: 0, attempts: 0, losses: 0 } as const;
  return { job: { handle: `H:${number}`, function: 'f', unique: '', ...rest, ...change }, origin: `${number}` };
}

async function* from(items: Iterable<Incoming | Unfit>): AsyncGenerator<Incoming | Unfit> {
  yield* items;
}

function* many(count: number): Generator<Incoming> {
  for (let number = 1; number <= count; number++) yield incoming(number);
}

describe('importing jobs', () => {
  let storage: MemoryStorage;
  let reports: number[];
  const run = (items: Iterable<Incoming | Unfit>, signal = new AbortController().signal): Promise<ImportCounts> =>
    importJobs(from(items), storage, { signal, progress: ({ read }) => void reports.push(read), progressJobs: 5_000 });

  beforeEach(async () => {
    storage = new MemoryStorage();
    reports = [];
    await storage.open(DEAF);
  });

  it('counts what became of each', async () => {
    await run([incoming(1)]);
    const tooLong = incoming(4, { function: 'f'.repeat(1_001) });
    const items = [incoming(1), incoming(2, { unique: 'u' }), incoming(3, { unique: 'u' }), new Unfit('why'), tooLong];
    expect(await run(items)).toMatchObject({ read: 5, added: 1, known: 1, coalesced: 1, unfit: 2 });
    expect(storage.count('f').total).toEqual([0, 2, 0]);
  });

  it('counts as accepted when it is imported, unless its source says when', async () => {
    const before = Date.now();
    await run([incoming(1), incoming(2, { function: 'old', acceptedAt: 1_000 })]);
    expect(storage.oldest('f', 1, Date.now())).toBeGreaterThanOrEqual(before);
    expect(storage.oldest('old', 1, Date.now())).toBe(1_000);
  });

  it('says why the first one is no job', async () => {
    expect((await run([incoming(1), new Unfit('one'), new Unfit('two')])).firstUnfit?.message).toBe('one');
    expect((await run([incoming(2, { handle: '' })])).firstUnfit?.message).toContain(
      'a handle must have 1 to 255 bytes',
    );
  });

  it('reports its progress now and then', async () => {
    await run(many(17_000));
    expect(reports).toEqual([8_192, 16_384]);
  });

  it('ends early when told to, and has counted exactly what it took', async () => {
    const ending = new AbortController();
    function* endless(): Generator<Incoming> {
      for (let number = 1; ; number++) {
        if (number === 5_000) ending.abort();
        yield incoming(number);
      }
    }
    const { read, added } = await run(endless(), ending.signal);
    expect(added).toBe(read);
    expect(storage.count('f').total).toEqual([0, added, 0]);
  });

  it('holds no more than one batch of large workloads in memory', async () => {
    const workload = Buffer.alloc(1024 * 1024);
    let ahead = 0;
    let most = 0;
    function* large(): Generator<Incoming> {
      for (let number = 1; number <= 100; number++) {
        ahead = number - (storage.count('f').total[1] ?? 0);
        most = Math.max(most, ahead);
        yield incoming(number, { workload });
      }
    }
    await run(large());
    expect(most).toBeLessThan(20);
  });

  it('fails when the storage does', async () => {
    const broken = new StorageError('GEARMAN_STORAGE_FULL', 'make room');
    storage.addOnce = () => Promise.reject(broken);
    await expect(run([incoming(1)])).rejects.toBe(broken);
  });
});
