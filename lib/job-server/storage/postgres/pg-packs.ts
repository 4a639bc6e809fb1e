import { PackedJobs } from './pack-name.js';
import type { End, PgEntry } from './pg-entry.js';
import { splitColumns } from './pg-find.js';
import type { PgRow } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { bigArray, bytesArray, intArray } from './pg-values.js';

/** A packed job that is over. */
interface PackedEnd {
  readonly entry: PgEntry;
  readonly end: Extract<End, { readonly is: 'done' }>;
}

/** What is done to jobs in packs. Whatever a pack has no room for is said of a row: a job that needs it gets one. */
export class PgPacks {
  constructor(private readonly parts: PgParts) {}

  /** Makes rows of jobs that this owner has leased in packs. */
  async makeRows(entries: readonly PgEntry[]): Promise<void> {
    const packed = entries.filter(({ pack }) => pack);
    for (const entry of packed) entry.isGettingRow = true;
    await this.makeRowsAt(packedOf(packed), 'ender');
    for (const entry of packed) {
      entry.pack = undefined;
      entry.isGettingRow = false;
    }
  }

  /** The same, of jobs by their places. */
  async makeRowsAt(jobs: PackedJobs, connection: 'ender' | 'hearer'): Promise<void> {
    if (!jobs.isEmpty) await run(this.parts, connection, 'makeRowsOfPacked', columnsOf(jobs));
  }

  /** Writes that jobs in packs are over. */
  async writeDone(ended: readonly PackedEnd[]): Promise<void> {
    const [plain, kept] = [ended.filter(({ end }) => !end.outcome), ended.filter(({ end }) => end.outcome)];
    if (plain.length > 0) {
      await run(this.parts, 'ender', 'donePacked', columnsOf(packedOf(plain.map(({ entry }) => entry))));
      settle(plain);
    }
    if (kept.length === 0) return;
    const entries = kept.map(({ entry }) => entry);
    const outcomes = kept.map(({ end }) => end.outcome!);
    await run(this.parts, 'ender', 'donePackedWithResult', [
      ...columnsOf(packedOf(entries)),
      bytesArray(entries.map(({ job }) => job.handle)),
      intArray(entries.map(({ pack }) => pack!.maker)),
      bigArray(entries.map(({ pack }) => pack!.number)),
      bigArray(entries.map(({ index }) => 1n << BigInt(index))),
      bytesArray(outcomes.map(({ state }) => state)),
      bytesArray(outcomes.map(({ result }) => result)),
      bigArray(outcomes.map(({ keepUntil }) => Math.round(keepUntil))),
    ]);
    settle(kept);
  }

  /** Takes jobs out that were refused and may be there, unless others have leased them. */
  async void(entries: readonly PgEntry[]): Promise<void> {
    const jobs = packedOf(entries.filter(({ pack }) => pack));
    if (jobs.isEmpty) return;
    await run(this.parts, 'adder', 'voidPacked', [...columnsOf(jobs), intArray(this.parts.session.all)]);
  }

  /** Makes rows of all jobs that wait in one pack with one of these; answers whether there were any. */
  async unpack(handles: readonly string[], connection: 'adder' | 'leaser'): Promise<boolean> {
    const { rows } = await run(this.parts, connection, 'unpack', splitColumns(handles));
    return (rows[0] as { readonly count: number }).count > 0;
  }

  /** The jobs of these handles that are in packs, as rows. */
  async find(handles: readonly string[]): Promise<readonly PgRow[]> {
    return (await run(this.parts, 'adder', 'packedByHandles', splitColumns(handles))).rows;
  }
}

function packedOf(entries: readonly PgEntry[]): PackedJobs {
  const jobs = new PackedJobs();
  for (const { pack, index, owner } of entries) if (pack) jobs.add(pack, index, owner);
  return jobs;
}

function columnsOf(jobs: PackedJobs): Buffer[] {
  const { makers, numbers, owners, bits } = jobs.columns();
  return [intArray(makers), bigArray(numbers), intArray(owners), bigArray(bits)];
}

function settle(ended: readonly PackedEnd[]): void {
  for (const { entry } of ended) entry.queue.settled([-1, 0, 0], true);
}
