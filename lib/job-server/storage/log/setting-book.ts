import type { GroupCommit } from '../group-commit.js';
import { Note, type LogChange } from './entry.js';
import type { LogIndex } from './log-index.js';
import { SETTING } from './record.js';

/** How many bytes a change of a setting takes, roughly. */
const BYTES = 200;

/** What is kept beside the jobs: all of it in memory, and the log is told of what changes. */
export class SettingBook {
  private readonly values = new Map<string, string>();
  private readonly changes = new Map<string, Note>();
  /** Those that are being written with a job, and what they were set to since. */
  private readonly firing = new Map<string, (string | undefined)[]>();

  constructor(
    private readonly index: LogIndex,
    private readonly commit: GroupCommit<LogChange>,
  ) {
    for (const [name, { number }] of index.settings) {
      const item = index.read(number);
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
    this.rewrite(name);
  }

  /** Has a setting written, unless it is about to be. */
  rewrite(name: string): void {
    if (this.firing.has(name)) return;
    const change = this.changes.get(name) ?? this.changeOf(name);
    this.changes.set(name, change);
    this.commit.mark(change, false);
  }

  /** Whether a setting is still to be written, alone or with a job. */
  isChanging(name: string): boolean {
    return this.changes.has(name) || this.firing.has(name);
  }

  /**
   * A setting that is to be written with a job: it applies once that is durable. Nobody changes it
   * before {@link fired}.
   */
  fire(name: string, value: string): Note {
    this.firing.set(name, []);
    return new Note(
      name.length + value.length + 64,
      true,
      (batch) => batch.note(SETTING, name, value, this.index.settings.get(name)),
      () => void this.values.set(name, value),
    );
  }

  /** It is written, or was refused: what was set meanwhile comes now. */
  fired(name: string): void {
    const since = this.firing.get(name);
    this.firing.delete(name);
    for (const value of since ?? []) this.set(name, value);
  }

  /** What the log is told of a setting: what it is when it is told. */
  private changeOf(name: string): Note {
    const { values, changes } = this;
    const { settings } = this.index;
    let told: string | undefined;
    const emit: Note['emit'] = (batch) => {
      told = values.get(name);
      const stored = settings.get(name);
      if (told !== undefined) batch.note(SETTING, name, told, stored);
      else if (stored) batch.over(stored, 0);
    };
    return new Note(BYTES, false, emit, () => {
      if (told === undefined) settings.delete(name);
      if (told === values.get(name)) changes.delete(name);
    });
  }
}
