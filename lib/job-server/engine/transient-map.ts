import type { ByteString } from './job-spec.js';

const MIN_SLOTS = 16;

/**
 * A map by text, for entries that do not stay long.
 *
 * Not a Map: as entries come and go, V8 makes a Map's table anew every few hundred
 * of them. An old table that has come to the old generation keeps alive all its
 * entries and the next table, which keeps the one after it: so every job of a deep
 * queue outlived two collections, and that garbage was a third of the memory that
 * a job server took.
 *
 * Linear probing, at most half full.
 */
export class TransientMap<Value> {
  private keys: (ByteString | undefined)[] = [];
  private values: (Value | undefined)[] = [];
  private hashes = NO_HASHES;
  /** Clients choose uniques: with a random seed they cannot choose ones that collide. */
  private readonly seed = Math.floor(Math.random() * 2 ** 32) | 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(key: ByteString): boolean {
    return this.get(key) !== undefined;
  }

  get(key: ByteString): Value | undefined {
    return this.count === 0 ? undefined : this.values[this.slotOf(key, this.hashOf(key))];
  }

  /** Puts a value in, in the place of another one under its key. */
  set(key: ByteString, value: Value): void {
    if (this.count * 2 >= this.keys.length) this.resize(Math.max(MIN_SLOTS, this.keys.length * 2));
    const hash = this.hashOf(key);
    const slot = this.slotOf(key, hash);
    if (this.keys[slot] === undefined) this.count++;
    this.put(slot, key, value, hash);
  }

  /** @returns whether it was there. */
  delete(key: ByteString): boolean {
    if (this.count === 0) return false;
    const slot = this.slotOf(key, this.hashOf(key));
    if (this.keys[slot] === undefined) return false;
    this.close(slot);
    this.count--;
    if (this.keys.length > MIN_SLOTS && this.count * 8 < this.keys.length) this.resize(this.keys.length / 2);
    return true;
  }

  /** A copy of all values, in no order. */
  toArray(): Value[] {
    return this.values.filter((value) => value !== undefined);
  }

  /** Where a key stands, or else the free slot where it would. */
  private slotOf(key: ByteString, hash: number): number {
    const { keys, hashes } = this;
    const mask = keys.length - 1;
    let slot = hash & mask;
    while (keys[slot] !== undefined && (hashes[slot] !== hash || keys[slot] !== key)) slot = (slot + 1) & mask;
    return slot;
  }

  /** Frees a slot, and moves what was pushed behind it by a collision into the gap. */
  private close(slot: number): void {
    const { keys, values, hashes } = this;
    const mask = keys.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; keys[next] !== undefined; next = (next + 1) & mask) {
      const home = hashes[next]! & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.put(gap, keys[next], values[next], hashes[next]!);
      gap = next;
    }
    this.put(gap, undefined, undefined, 0);
  }

  private resize(length: number): void {
    const { keys, values, hashes } = this;
    this.keys = new Array<ByteString | undefined>(length).fill(undefined);
    this.values = new Array<Value | undefined>(length).fill(undefined);
    this.hashes = new Int32Array(length);
    for (const [at, key] of keys.entries()) {
      if (key !== undefined) this.put(this.slotOf(key, hashes[at]!), key, values[at], hashes[at]!);
    }
    // The old arrays are garbage from now on, and must not keep anything alive.
    keys.fill(undefined);
    values.fill(undefined);
  }

  private put(slot: number, key: ByteString | undefined, value: Value | undefined, hash: number): void {
    this.keys[slot] = key;
    this.values[slot] = value;
    this.hashes[slot] = hash;
  }

  private hashOf(key: ByteString): number {
    let hash = this.seed;
    for (let at = 0; at < key.length; at++) {
      hash = Math.imul(hash ^ key.charCodeAt(at), 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}

const NO_HASHES = new Int32Array(0);
