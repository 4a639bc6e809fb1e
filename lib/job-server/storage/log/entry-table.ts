import type { Entry } from './entry.js';
import { HashTable, hashOf, seedFor } from './hash-table.js';

/** What hashes are told apart by, beside the names themselves. */
const HANDLES = 0;
const UNIQUES = 1;

/**
 * The entries that memory has, by their handles and their uniques.
 *
 * Not a Map: as entries come and go, V8 makes a Map's table anew every some
 * hundred of them. An old table, once moved to where garbage is collected
 * rarely, keeps all it had until then, and the next table, which keeps the one
 * after it: with 512 submissions in flight a quarter of all jobs outlived two
 * collections, and a job cost 1.2 to 1.4 times the CPU.
 */
export class EntryTable {
  private readonly places = new HashTable();
  private readonly entries: (Entry | undefined)[] = [];
  private readonly free: number[] = [];

  /** @param seed of the log, so that nobody can choose names that collide. */
  constructor(private readonly seed: number) {}

  add(entry: Entry): void {
    const place = this.free.pop() ?? this.entries.length;
    this.entries[place] = entry;
    entry.place = place;
    const { handle, unique } = entry.job;
    this.places.add(this.hashOfHandle(handle), place);
    if (unique !== '') this.places.add(this.hashOfUnique(entry.queue.name.id, unique), place);
  }

  remove(entry: Entry): void {
    const { place, queue, job } = entry;
    this.places.remove(this.hashOfHandle(job.handle), place);
    if (job.unique !== '') this.places.remove(this.hashOfUnique(queue.name.id, job.unique), place);
    this.entries[place] = undefined;
    this.free.push(place);
    entry.place = -1;
  }

  ofHandle(handle: string): Entry | undefined {
    const place = this.places.find(this.hashOfHandle(handle), (each) => this.entries[each]?.handle === handle);
    return place === undefined ? undefined : this.entries[place];
  }

  /** The job that has a unique, waiting or leased. */
  ofUnique(functionId: number, unique: string): Entry | undefined {
    const place = this.places.find(this.hashOfUnique(functionId, unique), (each) => {
      const entry = this.entries[each];
      return entry?.job.unique === unique && entry.queue.name.id === functionId && entry.phase.isQueued;
    });
    return place === undefined ? undefined : this.entries[place];
  }

  /** The entry that the log has under this number. */
  ofNumber(number: number): Entry | undefined {
    return this.entries.find((entry) => entry?.stored?.number === number);
  }

  private hashOfHandle(handle: string): number {
    return hashOf(handle, seedFor(this.seed, HANDLES));
  }

  private hashOfUnique(functionId: number, unique: string): number {
    return hashOf(unique, seedFor(this.seed, UNIQUES + functionId));
  }
}
