/** Each part grows on its own, so that no insertion pays for the growth of a large table. */
const PARTS = 256;

/** The least slots of a part, unless it is told others. */
const MIN_SLOTS = 64;

/** A part grows by this factor when so many of its slots are taken: on average seven of ten are. */
const MAX_LOAD = 0.8;
const GROWTH = 1.25;

/** Below this it shrinks to half. */
const MIN_LOAD = 0.25;

/** A part's hashes differ in so many values: the first byte says which part it is. */
const HASHES = 2 ** 24;

/**
 * Where in the log something may be, by a 32-bit hash of its name: 8 bytes a
 * slot. Two names may share a hash, and an entry may be out of date: whoever
 * looks something up reads the record and compares.
 *
 * Linear probing; a hash of 0 marks a free slot. A part may have any number of
 * slots, and no two begin with the same, so that they do not all grow at once:
 * for a moment each needs the memory of before and after.
 */
export class HashTable {
  private readonly parts = Array.from({ length: PARTS }, (_, part) => new Part(MIN_SLOTS * GROWTH ** (part / PARTS)));

  /**
   * Adds very many, part by part, so that the part stays in the processor's cache; what is not in
   * the order of parts is added last.
   */
  fill(lists: readonly HashedPairs[]): void {
    const entries = lists.reduce((sum, { pairs }) => sum + pairs.length / 2, 0);
    const ats = lists.map(() => 0);
    for (let part = 0; part <= PARTS; part++) {
      this.parts[part]?.expect(entries / PARTS);
      for (const [index, { pairs, first, isKept }] of lists.entries()) {
        let at = ats[index]!;
        for (; at < pairs.length && (part === PARTS || pairs[at]! >>> 24 === part); at += 2) {
          if (isKept(pairs[at + 1]!)) this.add(pairs[at]! | 0, first + pairs[at + 1]!);
        }
        ats[index] = at;
      }
    }
  }

  add(hash: number, number: number): void {
    this.partOf(hash).add(hash, number);
  }

  /** Forgets one entry; nothing when there is none. */
  remove(hash: number, number: number): void {
    this.partOf(hash).remove(hash, number);
  }

  /** The first number under this hash that is the one looked for; numbers are modulo 2^32, from -2^31 on. */
  find(hash: number, isIt: (number: number) => boolean): number | undefined {
    return this.partOf(hash).find(hash, isIt);
  }

  private partOf(hash: number): Part {
    return this.parts[hash >>> 24]!;
  }
}

/** Very many entries that a table is filled with. */
export interface HashedPairs {
  /** A hash, the number counted from `first`, a hash, and so on. */
  readonly pairs: Uint32Array;
  readonly first: number;
  /** Whether a number, counted from `first`, is to be in the table. */
  readonly isKept: (number: number) => boolean;
}

/** Puts pairs in the order of a table's parts, which {@link HashTable.fill} is three times as fast with. */
export function byPart(pairs: Float64Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(PARTS + 1);
  for (let at = 0; at < pairs.length; at += 2) next[(pairs[at]! >>> 24) + 1]! += 2;
  for (let part = 0; part < PARTS; part++) next[part + 1]! += next[part]!;
  const sorted = new Uint32Array(pairs.length);
  for (let at = 0; at < pairs.length; at += 2) {
    const to = next[pairs[at]! >>> 24]!;
    next[pairs[at]! >>> 24] = to + 2;
    sorted[to] = pairs[at]!;
    sorted[to + 1] = pairs[at + 1]!;
  }
  return sorted;
}

/**
 * A table that grows all at once. No hash is 0, which marks a free slot. Hashes and numbers
 * have signs: for a number from 2^31 on V8 makes an object wherever it hands it over.
 */
export class Part {
  private readonly minSlots: number;
  private hashes: Int32Array;
  private numbers: Int32Array;
  private size = 0;

  constructor(slots = MIN_SLOTS) {
    this.minSlots = Math.round(slots);
    this.hashes = new Int32Array(this.minSlots);
    this.numbers = new Int32Array(this.minSlots);
  }

  expect(entries: number): void {
    let slots = this.hashes.length;
    while (entries > slots * MAX_LOAD) slots = grown(slots);
    if (slots > this.hashes.length) this.resize(slots);
  }

  add(hash: number, number: number): void {
    if (this.size >= this.hashes.length * MAX_LOAD) this.resize(grown(this.hashes.length));
    this.size++;
    this.put(hash, number);
  }

  find(hash: number, isIt: (number: number) => boolean): number | undefined {
    const { hashes, numbers } = this;
    const slots = hashes.length;
    for (let slot = homeOf(hash, slots); hashes[slot] !== 0; slot = after(slot, slots)) {
      if (hashes[slot] === hash && isIt(numbers[slot]!)) return numbers[slot];
    }
    return undefined;
  }

  remove(hash: number, number: number): void {
    const { hashes, numbers } = this;
    const slots = hashes.length;
    for (let slot = homeOf(hash, slots); hashes[slot] !== 0; slot = after(slot, slots)) {
      if (hashes[slot] !== hash || numbers[slot] !== (number | 0)) continue;
      this.close(slot);
      this.size--;
      if (slots > this.minSlots && this.size < slots * MIN_LOAD) this.resize(Math.max(this.minSlots, slots >>> 1));
      return;
    }
  }

  private put(hash: number, number: number): void {
    const { hashes } = this;
    const slots = hashes.length;
    let slot = homeOf(hash, slots);
    while (hashes[slot] !== 0) slot = after(slot, slots);
    hashes[slot] = hash;
    this.numbers[slot] = number;
  }

  /** Frees a slot, and moves what was pushed behind it by a collision into the gap. */
  private close(slot: number): void {
    const { hashes, numbers } = this;
    const slots = hashes.length;
    let gap = slot;
    for (let next = after(gap, slots); hashes[next] !== 0; next = after(next, slots)) {
      // Its home is behind the gap: it stays.
      if (distance(homeOf(hashes[next]!, slots), next, slots) < distance(gap, next, slots)) continue;
      hashes[gap] = hashes[next]!;
      numbers[gap] = numbers[next]!;
      gap = next;
    }
    hashes[gap] = 0;
  }

  private resize(slots: number): void {
    const { hashes, numbers } = this;
    this.hashes = new Int32Array(slots);
    this.numbers = new Int32Array(slots);
    for (let slot = 0; slot < hashes.length; slot++) if (hashes[slot] !== 0) this.put(hashes[slot]!, numbers[slot]!);
  }
}

function grown(slots: number): number {
  return Math.ceil(slots * GROWTH);
}

/** Where a hash stands unless others do: as far into the slots as it is into all hashes of the part. */
function homeOf(hash: number, slots: number): number {
  return Math.floor(((hash & (HASHES - 1)) / HASHES) * slots);
}

function after(slot: number, slots: number): number {
  return slot + 1 === slots ? 0 : slot + 1;
}

/** How many steps lead from one slot to another. */
function distance(from: number, to: number, slots: number): number {
  return to >= from ? to - from : to - from + slots;
}

/** A byte string's hash, 32 bits with a sign and never 0. The seed is the log's own, so that nobody can choose names that collide. */
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

/** Handles that end with a number come a hundred to a group: 16 KiB of small jobs have two or three groups. */
const GROUP_CHARACTERS = 2;

/** The hashes of what is looked for in a log, by its seed: a name has others as a handle, as an origin and as a unique. */
export class Hashes {
  constructor(private readonly seed: number) {}

  handle(handle: string): number {
    return hashOf(handle, this.seedFor(0));
  }

  /**
   * The hash of a group: of all handles that differ only in their last characters, of which a
   * block has many.
   */
  group(handle: string): number {
    return hashOf(handle.slice(0, -GROUP_CHARACTERS), this.seedFor(0));
  }

  /** The same of a handle in bytes. */
  groupIn(bytes: Uint8Array, start: number, end: number): number {
    return hashOfBytes(bytes, start, end - GROUP_CHARACTERS, this.seedFor(0));
  }

  origin(origin: string): number {
    return hashOf(origin, this.seedFor(1));
  }

  unique(functionId: number, unique: string): number {
    return hashOf(unique, this.seedFor(functionId + 2));
  }

  /** The same of a unique in bytes. */
  uniqueIn(functionId: number, bytes: Uint8Array, start: number, end: number): number {
    return hashOfBytes(bytes, start, end, this.seedFor(functionId + 2));
  }

  private seedFor(kind: number): number {
    return finish(this.seed ^ Math.imul(kind + 1, 0x9e3779b1));
  }
}

function mix(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x5bd1e995);
  return mixed ^ (mixed >>> 15);
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16) || 1;
}
