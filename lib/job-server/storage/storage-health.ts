import { Log2Histogram } from '../../telemetry/metrics/index.js';
import type { DeadCounts } from './dead-counts.js';

/** What a storage did and how much room it has, for whoever watches it. */
export interface StorageHealth {
  /** How many changes wait to be written. */
  readonly backlog: number;
  /** Its writes: each many changes together, and durable if the storage is. */
  readonly writes: StorageWrites;
  /** How many dead letters there are, by function: the same object from one opening to the next; missing where an implementation cannot tell. */
  readonly dead?: DeadCounts;
  /** What it takes on the disk, in bytes; missing where it is on no disk of this machine. */
  readonly bytes?: number;
  /** What that disk has left, in bytes, as last looked at; missing where that is not known. */
  readonly freeBytes?: number | undefined;
}

/** What the writes of a storage were like since it was opened. */
export class StorageWrites {
  /** How long each took, in milliseconds. */
  readonly took = new Log2Histogram();
  /** How many changes each wrote. */
  readonly changes = new Log2Histogram();

  /** Counts a write that succeeded. */
  wrote(changes: number, milliseconds: number): void {
    this.took.add(milliseconds);
    this.changes.add(changes);
  }
}
