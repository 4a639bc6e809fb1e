/** Which pack, among all that there ever were: by the session that made it, and which of its packs it is. */
export class PackName {
  constructor(
    readonly maker: number,
    readonly number: number,
  ) {}
}

/** So many jobs of a queue that come together become a pack: one of fewer would cost no less than rows. */
export const MIN_PACK = 4;

/** The most jobs of a pack: each has a bit in a bigint, whose sign is not used. */
export const MAX_PACK = 62;

/** The numbers of a pack's handles are less than this apart, so that a search for one looks at few packs. */
export const PACK_SPAN = 4_096;

/** Some jobs of a pack, by their places in it; bits in two halves, as JavaScript's numbers have 32 of them. */
class Places {
  private low = 0;
  private high = 0;

  constructor(
    readonly name: PackName,
    readonly owner: number,
  ) {}

  add(index: number): void {
    if (index < 31) this.low |= 1 << index;
    else this.high |= 1 << (index - 31);
  }

  join({ low, high }: Places): void {
    this.low |= low;
    this.high |= high;
  }

  get bits(): bigint {
    return (BigInt(this.high) << 31n) | BigInt(this.low);
  }
}

/** Jobs by the packs they are in. A statement changes a row once: each pack is among them once. */
export class PackedJobs {
  private readonly packs = new Map<PackName, Places>();

  /** @param owner who has leased the pack. */
  add(name: PackName, index: number, owner: number): void {
    let places = this.packs.get(name);
    if (!places) this.packs.set(name, (places = new Places(name, owner)));
    places.add(index);
  }

  get isEmpty(): boolean {
    return this.packs.size === 0;
  }

  /** Everything as columns: the packs' makers, their numbers, their owners, and bits. */
  columns(): {
    readonly makers: number[];
    readonly numbers: number[];
    readonly owners: number[];
    readonly bits: bigint[];
  } {
    const byName = new Map<string, Places>();
    for (const places of this.packs.values()) {
      const { name, owner } = places;
      const key = `${name.maker}:${name.number}:${owner}`;
      const same = byName.get(key);
      if (same) same.join(places);
      else byName.set(key, places);
    }
    const all = [...byName.values()];
    return {
      makers: all.map(({ name }) => name.maker),
      numbers: all.map(({ name }) => name.number),
      owners: all.map(({ owner }) => owner),
      bits: all.map(({ bits }) => bits),
    };
  }
}

/** All places of so many jobs. */
export function allBits(count: number): bigint {
  return (1n << BigInt(count)) - 1n;
}
