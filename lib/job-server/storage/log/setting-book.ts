import type { GroupCommit } from '../group-commit.js';
import type { Batch } from './batch.js';
import type { EntryIndex, LogChange, Note } from './entry.js';
import { SETTING } from './record.js';

/** What is kept beside the jobs: all of it in memory, and the log is told of what changes. */
export class SettingBook {
  private readonly values = new Map<string, string>();
  private readonly changes = new Map<string, SettingChange>();
  /** Those that are being written with a job, and what they were set to since. */
  private readonly firing = new Map<string, (string | undefined)[]>();

  constructor(
    private readonly index: EntryIndex,
    private readonly commit: GroupCommit<LogChange>,
  ) {
    for (const [name, { number }] of index.settings) {
      const item = index.readIfCan(number);
      if (item) this.values.set(name, item.text);
    }
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
    let change = this.changes.get(name);
    if (!change) this.changes.set(name, (change = new SettingChange(name, this.values, this.index, this.changes)));
    change.isDue = true;
    this.commit.mark(change, false);
  }

  /** Whether the log has one otherwise than memory, or is about to. */
  isChanging(name: string): boolean {
    return this.changes.has(name) || this.firing.has(name);
  }

  /** What a job is to be written with: it holds once that is durable. Nobody changes it before {@link fired}. */
  fire(name: string, value: string): Note {
    this.firing.set(name, []);
    return {
      bytes: name.length + value.length + 64,
      emit: (batch) => batch.note(SETTING, name, value, this.index.settings.get(name)),
      settled: () => void this.values.set(name, value),
    };
  }

  /** It is written, or was refused: what was set meanwhile comes now. */
  fired(name: string): void {
    const since = this.firing.get(name);
    this.firing.delete(name);
    for (const value of since ?? []) this.set(name, value);
  }
}

/** A setting that the log does not have as it is. */
class SettingChange implements LogChange {
  readonly bytes = 200;
  readonly isAdding = false;
  readonly isKept = true;
  isDue = false;
  private isRemoved = false;

  constructor(
    private readonly name: string,
    private readonly values: ReadonlyMap<string, string>,
    private readonly index: EntryIndex,
    private readonly changes: Map<string, SettingChange>,
  ) {}

  emit(batch: Batch): void {
    this.isDue = false;
    this.isRemoved = false;
    const value = this.values.get(this.name);
    const stored = this.index.settings.get(this.name);
    if (value !== undefined) batch.note(SETTING, this.name, value, stored);
    else if (stored) {
      batch.over(stored, 0);
      this.isRemoved = true;
    }
  }

  settle(isDurable: boolean): void {
    if (!isDurable) return;
    if (this.isRemoved) this.index.settings.delete(this.name);
    if (!this.isDue) this.changes.delete(this.name);
  }
}
