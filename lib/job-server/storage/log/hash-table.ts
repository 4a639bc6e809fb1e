/** Each part grows on its own, so that no insertion pays for the growth of a large table. */
const PARTS = 256;
const MIN_SLOTS = 16;

/**
 * Where in the log something may be, by a 32-bit hash of its name: 8 bytes a
 * slot. Two names may share a hash, and an entry may be out of date: who looks
 * something up reads the record and compares.
 *
 * Linear probing, at most three quarters full; a hash of 0 marks a free slot.
 */
export class HashTable {
  private readonly parts = Array.from({ length: PARTS }, () => new Part());

  /** So many entries will come: saves growing step by step. */
  expect(entries: number): void {
    for (const part of this.parts) part.expect(entries / PARTS);
  }

  add(hash: number, number: number): void {
    this.partOf(hash).add(hash || 1, number >>> 0);
  }

  /** Forgets one entry; nothing when there is none. */
  remove(hash: number, number: number): void {
    this.partOf(hash).remove(hash || 1, number >>> 0);
  }

  /** The first number under this hash that is the one looked for; numbers are modulo 2^32. */
  find(hash: number, isIt: (number: number) => boolean): number | undefined {
    return this.partOf(hash).find(hash || 1, isIt);
  }

  private partOf(hash: number): Part {
    return this.parts[hash >>> 24]!;
  }
}

class Part {
  private hashes = new Uint32Array(MIN_SLOTS);
  private numbers = new Uint32Array(MIN_SLOTS);
  private size = 0;

  expect(entries: number): void {
    let slots = this.hashes.length;
    while (entries * 3 >= slots * 2) slots *= 2;
    if (slots > this.hashes.length) this.resize(slots);
  }

  add(hash: number, number: number): void {
    if (this.size * 4 >= this.hashes.length * 3) this.resize(this.hashes.length * 2);
    this.size++;
    const mask = this.hashes.length - 1;
    let slot = hash & mask;
    while (this.hashes[slot] !== 0) slot = (slot + 1) & mask;
    this.hashes[slot] = hash;
    this.numbers[slot] = number;
  }

  find(hash: number, isIt: (number: number) => boolean): number | undefined {
    const { hashes, numbers } = this;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== 0; slot = (slot + 1) & mask) {
      if (hashes[slot] === hash && isIt(numbers[slot]!)) return numbers[slot];
    }
    return undefined;
  }

  remove(hash: number, number: number): void {
    const { hashes, numbers } = this;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== 0; slot = (slot + 1) & mask) {
      if (hashes[slot] !== hash || numbers[slot] !== number) continue;
      this.close(slot);
      this.size--;
      if (this.hashes.length > MIN_SLOTS && this.size * 8 < this.hashes.length) this.resize(this.hashes.length / 2);
      return;
    }
  }

  /** Frees a slot, and moves what was pushed behind it by a collision into the gap. */
  private close(slot: number): void {
    const { hashes, numbers } = this;
    const mask = hashes.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; hashes[next] !== 0; next = (next + 1) & mask) {
      const home = hashes[next]! & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      hashes[gap] = hashes[next]!;
      numbers[gap] = numbers[next]!;
      gap = next;
    }
    hashes[gap] = 0;
  }

  private resize(slots: number): void {
    const { hashes, numbers } = this;
    this.hashes = new Uint32Array(slots);
    this.numbers = new Uint32Array(slots);
    this.size = 0;
    for (let slot = 0; slot < hashes.length; slot++) {
      if (hashes[slot] !== 0) this.add(hashes[slot]!, numbers[slot]!);
    }
  }
}

/** A byte string's hash, 32 bits. The seed is the log's own, so that nobody can choose names that collide. */
export function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return finish(hash);
}

/** The same of the bytes themselves. */
export function hashOfBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let index = start; index < end; index++) hash = mix(hash, bytes[index]!);
  return finish(hash);
}

/** A seed for names of another kind. */
export function seedFor(seed: number, kind: number): number {
  return finish(seed ^ Math.imul(kind + 1, 0x9e3779b1));
}

function mix(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x5bd1e995);
  return mixed ^ (mixed >>> 15);
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
