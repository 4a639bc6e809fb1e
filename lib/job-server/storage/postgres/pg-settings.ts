import { run, type PgParts } from './pg-parts.js';
import { bytesArray } from './pg-values.js';

/** How often they are read where nothing was heard of a change, in milliseconds: with notifications, and without. */
const READ_INTERVAL = { listening: 10_000, looking: 2_000 };

/** What is kept beside the jobs: in memory as it was last read, and set here since. */
export class PgSettings {
  /** As they are known. */
  readonly known = new Map<string, string>();
  /** Set here, and not written yet. */
  private readonly unwritten = new Map<string, string | undefined>();
  /** While they are read: what changed here meanwhile, and is newer than what comes. */
  private touched: Set<string> | undefined;
  private isOld = false;
  private readAt = -Infinity;

  constructor(
    private readonly parts: PgParts,
    /** Tells the other owners that some were written. */
    private readonly tellOthers: () => void,
  ) {}

  /** How many are to be written. */
  get backlog(): number {
    return this.unwritten.size;
  }

  /** Somebody sets one; it is to be written. */
  set(name: string, value: string | undefined): void {
    this.unwritten.set(name, value);
    this.learn(name, value);
  }

  /** One is in the database. */
  learn(name: string, value: string | undefined): void {
    if (value === undefined) this.known.delete(name);
    else this.known.set(name, value);
    this.touched?.add(name);
  }

  /** Another owner has set some. */
  heard(): void {
    this.isOld = true;
  }

  /** Reads them all: this owner begins. */
  async begin(): Promise<void> {
    await this.read();
  }

  /** Reads them again where others may have set some, and tells the listener which. */
  async look(): Promise<void> {
    const { listener, options } = this.parts;
    const interval = options.listen ? READ_INTERVAL.listening : READ_INTERVAL.looking;
    if (!this.isOld && performance.now() - this.readAt < interval) return;
    for (const [name, value] of await this.read()) listener.set?.(name, value);
  }

  async write(): Promise<void> {
    const settings = [...this.unwritten];
    const kept = settings.filter(([, value]) => value !== undefined);
    const gone = settings.filter(([, value]) => value === undefined).map(([name]) => name);
    const names = bytesArray(kept.map(([name]) => name));
    const values = bytesArray(kept.map(([, value]) => Buffer.from(value!)));
    if (kept.length > 0) await run(this.parts, 'ender', 'set', [names, values]);
    if (gone.length > 0) await run(this.parts, 'ender', 'unset', [bytesArray(gone)]);
    for (const [name, value] of settings) if (this.unwritten.get(name) === value) this.unwritten.delete(name);
    this.tellOthers();
  }

  /** Answers what differs from what was known here. */
  private async read(): Promise<[name: string, value: string | undefined][]> {
    this.isOld = false;
    // What is written while they are read may come as it was before.
    const touched = (this.touched = new Set(this.unwritten.keys()));
    try {
      const { rows } = await run(this.parts, 'hearer', 'settings');
      this.readAt = performance.now();
      const read = new Map(rows.map((row) => textsIn(row as SettingRow)));
      const isOther = (name: string): boolean => !touched.has(name) && read.get(name) !== this.known.get(name);
      const changed = [...new Set([...read.keys(), ...this.known.keys()])].filter(isOther);
      for (const name of changed) this.learn(name, read.get(name));
      return changed.map((name) => [name, read.get(name)]);
    } catch (error) {
      this.isOld = true;
      throw error;
    } finally {
      this.touched = undefined;
    }
  }
}

interface SettingRow {
  readonly name: Buffer;
  readonly value: Buffer;
}

function textsIn({ name, value }: SettingRow): [name: string, value: string] {
  return [name.toString('latin1'), value.toString()];
}
