import type { JobCounters } from '../../stored-job.js';
import type { Home, PackName } from '../keys.js';
import type { Marks } from './marks.js';
import { marksOf, type PackDamage } from '../queue-rows.js';
import type { Tables } from '../tables.js';

/** What one write makes of the jobs that sit in packs. */
export class PackMarks {
  /** By the sequence of the pack's first job. */
  private readonly packs = new Map<number, { readonly pack: PackName; readonly marks: Marks; isChanged: boolean }>();

  /** Reads what is marked of the packs in which the file has what is written. */
  constructor(tables: Tables, written: Iterable<{ readonly home: Home | undefined }>, damage: PackDamage) {
    for (const { home } of written) {
      const pack = home?.pack;
      if (!pack || this.packs.has(pack.home.sequence)) continue;
      const marks = marksOf(tables, pack.home, pack.size, damage);
      this.packs.set(pack.home.sequence, { pack, marks, isChanged: false });
    }
  }

  /** A job leaves its pack. */
  leave({ pack, index }: Home): void {
    this.changed(pack)?.leave(index);
  }

  /** A job has other counters. */
  change({ pack, index }: Home, counters: Required<JobCounters>): void {
    this.changed(pack)?.change(index, counters);
  }

  /** Puts the marks into a write; a pack that all have left is deleted. */
  emit({ marks, packed, packs }: Tables): void {
    for (const { pack, marks: next, isChanged } of this.packs.values()) {
      if (!isChanged) continue;
      if (next.areAllGone) {
        void packs.remove(pack.home);
        void marks.remove(pack.home);
        void packed.remove(pack.firstHandle);
      } else void marks.put(pack.home, next);
    }
  }

  private changed(pack: PackName | undefined): Marks | undefined {
    const known = pack && this.packs.get(pack.home.sequence);
    if (known) known.isChanged = true;
    return known?.marks;
  }
}
