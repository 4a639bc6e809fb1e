import type { PgEntry } from './pg-entry.js';
import { packed, type Packed } from './pg-pack.js';
import { PackName } from './pack-name.js';
import type { PgResult } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { jobArrays, sortedForAdding } from './pg-rows.js';
import { bigArray, bytesArray, intArray } from './pg-values.js';

type Rows = Packed['rows'];
type Packs = Packed['packs'];

/** Writes a batch in one statement: plain jobs of a queue that came together as packs, the rest as rows. */
export class PgInsert {
  private lastPack = 0;

  constructor(private readonly parts: PgParts) {}

  /**
   * Writes jobs whose functions are numbered, unless they are there; answers
   * those that were not written: they, or others in their way, are there.
   */
  write(batch: readonly PgEntry[]): Promise<PgEntry[]> {
    const { packFrom, session } = this.parts;
    // Job servers that know no packs would not see them.
    return this.insert(
      packed(batch, packFrom, session.mayPack ? () => new PackName(session.id, ++this.lastPack) : undefined),
    );
  }

  /** Writes again what may be there already, leased to this owner. */
  async writeAgain(batch: readonly PgEntry[]): Promise<void> {
    await this.insert(packed(batch, Infinity, undefined), this.parts.session.id);
  }

  /** @param owner who is to have them; default: as each says. */
  private async insert({ rows, packs }: Packed, owner?: number): Promise<PgEntry[]> {
    const values = this.rowValues(sortedForAdding(this.parts, rows), owner);
    if (packs.length === 0) return missing(await run(this.parts, 'adder', 'add', values), rows, packs);
    return missing(
      await run(this.parts, 'adder', 'addPacked', [...values, ...this.packValues(packs, owner)]),
      rows,
      packs,
    );
  }

  private rowValues(rows: Rows, owner: number | undefined): unknown[] {
    const jobs = rows.map(({ job }) => job);
    return [
      ...jobArrays(this.parts, jobs),
      intArray(rows.map(({ place }) => place)),
      intArray(rows.map(({ entry }) => owner ?? entry.owner)),
      rows.length,
    ];
  }

  private packValues(units: Packs, owner: number | undefined): unknown[] {
    const { functions } = this.parts;
    const packs = units.map(({ pack }) => pack);
    const sizes = packs.map(({ entries }) => entries.length);
    let start = 1;
    const starts = sizes.map((size) => (start += size) - size);
    const contents = packs.map((pack) => pack.content());
    return [
      intArray(packs.map(({ name }) => name.maker)),
      bigArray(packs.map(({ name }) => name.number)),
      intArray(units.map(({ place }) => place)),
      intArray(packs.map(({ queue }) => functions.id(queue.name.function)!)),
      intArray(packs.map(({ queue }) => queue.name.priority)),
      intArray(packs.map(() => owner ?? 0)),
      bigArray(packs.map(({ bits }) => bits)),
      bytesArray(packs.map(({ prefix }) => prefix)),
      bigArray(packs.map(({ first }) => first)),
      bigArray(packs.map(({ last }) => last)),
      bigArray(contents.map(({ accepted }) => accepted)),
      bytesArray(contents.map(({ workloads }) => workloads)),
      intArray(starts),
      intArray(sizes),
      intArray(contents.flatMap(({ numbers }) => numbers)),
      intArray(contents.flatMap(({ delays }) => delays)),
      intArray(contents.flatMap(({ ends }) => ends)),
    ];
  }
}

/** Those that a statement has not written. */
function missing({ rows: [answer] }: PgResult, rows: Rows, packs: Packs): PgEntry[] {
  const { handles, packs: made } = answer as {
    readonly handles: readonly Buffer[] | null;
    readonly packs?: readonly string[];
  };
  const written = handles && new Set(handles.map((handle) => handle.toString('latin1')));
  const entries = written ? rows.map(({ entry }) => entry).filter(({ job }) => !written.has(job.handle)) : [];
  if (made && made.length < packs.length) {
    const names = new Set(made);
    for (const { pack } of packs)
      if (!names.has(`${pack.name.maker}:${pack.name.number}`)) entries.push(...pack.entries);
  }
  return entries;
}
