import type { Entry } from './entry.js';
import { Part } from './hash-table.js';

/** The least slots of the table: with fewer it would grow and shrink with each batch; so many stay in the processor's cache. */
const MIN_SLOTS = 2_048;

/**
 * The entries that memory has, by their handles and their uniques.
 *
 * Not a Map: as entries come and go, V8 makes a Map's table anew every few
 * hundred of them. An old table that has come to the old generation keeps alive
 * all its entries and the next table, which keeps the one after it: with 512
 * submissions in flight a quarter of all jobs outlived two collections, and a
 * job cost 1.2 to 1.4 times the CPU.
 */
export class EntryTable {
  private readonly places = new Part(MIN_SLOTS);
  private readonly entries: (Entry | undefined)[] = [];
  private readonly free: number[] = [];

  add(entry: Entry): void {
    const place = this.free.pop() ?? this.entries.length;
    this.entries[place] = entry;
    entry.place = place;
    this.places.add(entry.handleHash, place);
    if (entry.job.unique !== '') this.places.add(entry.uniqueHash, place);
  }

  remove(entry: Entry): void {
    const { place } = entry;
    this.places.remove(entry.handleHash, place);
    if (entry.job.unique !== '') this.places.remove(entry.uniqueHash, place);
    this.entries[place] = undefined;
    this.free.push(place);
    entry.place = -1;
  }

  at(place: number): Entry | undefined {
    return this.entries[place];
  }

  /** The entry of a handle, by its hash. */
  ofHandle(hash: number, handle: string): Entry | undefined {
    const place = this.places.find(hash, (each) => this.entries[each]?.handle === handle);
    return place === undefined ? undefined : this.entries[place];
  }

  /** The job that has a unique, waiting or leased, by its hash. */
  ofUnique(hash: number, functionId: number, unique: string): Entry | undefined {
    const place = this.places.find(hash, (each) => {
      const entry = this.entries[each];
      return entry?.job.unique === unique && entry.queue.name.id === functionId && entry.phase.isQueued;
    });
    return place === undefined ? undefined : this.entries[place];
  }

  /** The entry that the log has under this number. */
  ofNumber(number: number): Entry | undefined {
    return this.entries.find((entry) => entry?.stored?.number === number);
  }
}
