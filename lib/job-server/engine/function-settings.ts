import type { ByteString } from './job-spec.js';

/** For how many functions something may be set. */
const MAX_FUNCTIONS_SET = 10_000;

/** What an operator set for a function, whether anybody has named it yet or not. */
export interface FunctionSettings {
  /** While true no worker is given a job of it. */
  readonly isPaused: boolean;
  /** The most jobs a submission of each priority may find, 0: no limit; undefined: what every function begins with. */
  readonly limits: readonly [number, number, number] | undefined;
}

/** A function's settings where nothing was set. */
export const NOTHING_SET: FunctionSettings = { isPaused: false, limits: undefined };

/** The functions' settings, by name, also those of functions that are not known yet. */
export class FunctionSettingTable implements Iterable<[ByteString, FunctionSettings]> {
  private readonly byName = new Map<ByteString, FunctionSettings>();

  of(name: ByteString): FunctionSettings {
    return this.byName.get(name) ?? NOTHING_SET;
  }

  /** Whether this may be set: not where something is set for too many others. */
  hasRoomFor(name: ByteString, settings: FunctionSettings): boolean {
    return isNothing(settings) || this.byName.size < MAX_FUNCTIONS_SET || this.byName.has(name);
  }

  /** Sets what applies to a function from now on; ask {@link hasRoomFor} first. */
  set(name: ByteString, settings: FunctionSettings): void {
    if (isNothing(settings)) this.byName.delete(name);
    else this.byName.set(name, settings);
  }

  [Symbol.iterator](): Iterator<[ByteString, FunctionSettings]> {
    return this.byName.entries();
  }
}

function isNothing({ isPaused, limits }: FunctionSettings): boolean {
  return !isPaused && !limits;
}
