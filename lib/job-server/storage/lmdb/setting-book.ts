import type { FileChange, FileWrite } from './file-change.js';
import type { GroupCommit } from '../group-commit.js';
import type { Tables } from './tables.js';

/** What is kept beside the jobs: all of it in memory, and one change that brings to the file what it has not. */
export class SettingBook implements FileChange {
  readonly bytes = 0;
  readonly queue = undefined;
  readonly home = undefined;
  private readonly values: Map<string, string>;
  /** The names of those that the file has not as they are. */
  private changed = new Set<string>();
  /** Those that are being written with a job, and what they were set to since. */
  private readonly firing = new Map<string, (string | undefined)[]>();
  /** Those of them that are being written. */
  private writing = new Set<string>();

  constructor(
    tables: Tables,
    private readonly commit: GroupCommit<FileChange>,
  ) {
    const rows = tables.settings.getRange({ start: undefined });
    this.values = new Map(Array.from(rows, ({ key, value }) => [key, value]));
  }

  get all(): ReadonlyMap<string, string> {
    return this.values;
  }

  set(name: string, value: string | undefined): void {
    const firing = this.firing.get(name);
    if (firing) {
      firing.push(value);
      return;
    }
    if (this.values.get(name) === value) return;
    if (value === undefined) this.values.delete(name);
    else this.values.set(name, value);
    this.changed.add(name);
    this.commit.mark(this, false);
  }

  /** Whether the file has one otherwise than memory, or is about to. */
  isChanging(name: string): boolean {
    return this.changed.has(name) || this.writing.has(name) || this.firing.has(name);
  }

  /** One is about to be written with a job: nobody changes it before {@link fired}. */
  fire(name: string): void {
    this.firing.set(name, []);
  }

  /** It is written, or was refused; what was set meanwhile comes now. */
  fired(name: string, value: string | undefined): void {
    if (value !== undefined) this.values.set(name, value);
    const since = this.firing.get(name);
    this.firing.delete(name);
    for (const later of since ?? []) this.set(name, later);
  }

  prepare(): void {
    this.writing = this.changed;
    this.changed = new Set();
  }

  emit({ tables: { settings } }: FileWrite): void {
    for (const name of this.writing) {
      const value = this.values.get(name);
      if (value === undefined) void settings.remove(name);
      else void settings.put(name, value);
    }
  }

  settle(isDurable: boolean): void {
    if (!isDurable) for (const name of this.writing) this.changed.add(name);
    this.writing = new Set();
  }
}
