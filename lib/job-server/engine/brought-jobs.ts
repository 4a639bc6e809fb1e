import type { ByteString } from './job-spec.js';
import type { Job } from './model.js';

const MIN_SLOTS = 16;

/**
 * The jobs that brought their handles, by these: those that come from storage.
 *
 * Not a Map: as jobs come and go, V8 makes a Map's table anew every some hundred
 * of them. An old table, once moved to where garbage is collected rarely, keeps
 * all it had until then, and the next table, which keeps the one after it: so
 * every job of a deep queue outlived two collections, and what they left was a
 * third of the memory that a job server took.
 *
 * Linear probing, at most half full.
 */
export class BroughtJobs {
  private slots = emptySlots(MIN_SLOTS);
  /** Of the handle in the slot at the same place. */
  private hashes = new Int32Array(MIN_SLOTS);
  private size = 0;

  find(handle: ByteString): Job | undefined {
    return this.slots[this.slotOf(handle, hashOf(handle))];
  }

  /** Adds a job, in the place of another one with its handle. */
  add(job: Job): void {
    const handle = job.givenHandle!;
    const hash = hashOf(handle);
    const slot = this.slotOf(handle, hash);
    if (!this.slots[slot]) this.size++;
    this.put(slot, job, hash);
    if (this.size * 2 > this.slots.length) this.resize(this.slots.length * 2);
  }

  /** Forgets the job with this handle, if there is one. */
  delete(handle: ByteString): void {
    const slot = this.slotOf(handle, hashOf(handle));
    if (!this.slots[slot]) return;
    this.close(slot);
    this.size--;
    if (this.slots.length > MIN_SLOTS && this.size * 8 < this.slots.length) this.resize(this.slots.length / 2);
  }

  /** All of them, in no order. */
  toArray(): Job[] {
    return this.slots.filter((job) => job !== undefined);
  }

  /** Where a handle stands, or else the free slot where it would. */
  private slotOf(handle: ByteString, hash: number): number {
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let job = slots[slot]; job; job = slots[slot]) {
      if (hashes[slot] === hash && job.givenHandle === handle) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Frees a slot, and moves what was pushed behind it by a collision into the gap. */
  private close(slot: number): void {
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; slots[next]; next = (next + 1) & mask) {
      const home = hashes[next]! & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.put(gap, slots[next], hashes[next]!);
      gap = next;
    }
    slots[gap] = undefined;
  }

  private resize(length: number): void {
    const { slots, hashes } = this;
    this.slots = emptySlots(length);
    this.hashes = new Int32Array(length);
    for (const [at, job] of slots.entries())
      if (job) this.put(this.slotOf(job.givenHandle!, hashes[at]!), job, hashes[at]!);
    // It is garbage now, and keeps nothing.
    slots.fill(undefined);
  }

  private put(slot: number, job: Job | undefined, hash: number): void {
    this.slots[slot] = job;
    this.hashes[slot] = hash;
  }
}

function emptySlots(length: number): (Job | undefined)[] {
  return new Array<Job | undefined>(length).fill(undefined);
}

/** 32 bits. Handles are job servers' own: nobody chooses them so that they collide. */
function hashOf(handle: ByteString): number {
  let hash = 0;
  for (let at = 0; at < handle.length; at++) {
    hash = Math.imul(hash ^ handle.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash;
}
