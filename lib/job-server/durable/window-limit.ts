import type { GearmanFunction } from '../engine/index.js';
import { LEASE_BYTES } from '../storage/index.js';

/** The lowest limit, however long the workloads are: one job to run, and one to come. */
const LEAST = 2;

/**
 * How many stored jobs of a priority the engine has at most: as many as it is
 * told to, and of those with long workloads as many as memory should keep.
 */
export class WindowLimit {
  /** How long the workloads of a function were lately, on average; missing where they were always short. */
  private readonly means = new WeakMap<GearmanFunction, number>();
  private readonly short: number;
  private hasLong = false;

  /** @param most the limit where workloads are short. */
  constructor(private readonly most: number) {
    this.short = Math.floor(LEASE_BYTES / most);
  }

  of(function_: GearmanFunction): number {
    const mean = this.means.get(function_);
    return mean === undefined ? this.most : Math.max(LEAST, Math.min(this.most, Math.floor(LEASE_BYTES / mean)));
  }

  /** Whether there is something to {@link learn} from a workload of so many bytes. */
  minds(bytes: number): boolean {
    return this.hasLong || bytes > this.short;
  }

  /** A job of a function came, with a workload of so many bytes. */
  learn(function_: GearmanFunction, bytes: number): void {
    this.hasLong = true;
    const mean = this.means.get(function_);
    this.means.set(function_, mean === undefined ? bytes : mean + (bytes - mean) / 8);
  }
}
