import { fromByteString } from '../../protocol/index.js';
import { NOTHING_SET, type ByteString, type Engine, type FunctionSettings, type Refusal } from '../engine/index.js';
import { aboutError, type Log } from '../../ground/index.js';
import type { JobStorage } from '../storage/index.js';

/** What the names of functions' settings begin with in the storage. */
const PREFIX = 'function:';

/** Keeps what operators set for functions: in the storage as JSON, `{"paused":true,"limits":[10,100,0]}`. */
export class KeptSettings {
  /** What is being set comes from the storage, and need not be written there. */
  private isRestoring = false;

  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly log: Log,
  ) {}

  /**
   * The storage was opened: what it kept applies, except to functions that an operator has set
   * something for already.
   */
  restart(): void {
    const setSince = [...this.engine.functions.settings];
    for (const [key, value] of [...this.storage.settings()]) {
      if (key.startsWith(PREFIX)) this.restore(key.slice(PREFIX.length), value);
    }
    for (const [name, settings] of setSince) this.engine.setFunction(name, settings);
  }

  /** Another job server of the storage set something, which applies here as well. */
  heard(key: string, value: string | undefined): void {
    if (key.startsWith(PREFIX)) this.restore(key.slice(PREFIX.length), value);
  }

  /** An operator set something. What cannot be kept applies until the job server ends, and the log says so. */
  set(name: ByteString, { isPaused, limits }: FunctionSettings): void {
    if (this.isRestoring) return;
    const key = PREFIX + name;
    const isAny = isPaused || limits !== undefined;
    if (!isAny && !this.storage.settings().has(key)) return;
    try {
      this.storage.set(key, isAny ? JSON.stringify({ paused: isPaused, limits }) : undefined);
    } catch (error) {
      const shown = fromByteString(name);
      const reason = (error as Error).message;
      this.log('error', `storage: the settings of ${shown} will not survive a restart: ${reason}`, {
        function: shown,
        ...aboutError(error),
      });
    }
  }

  private setHere(name: ByteString, settings: FunctionSettings): Refusal | undefined {
    this.isRestoring = true;
    try {
      return this.engine.setFunction(name, settings);
    } finally {
      this.isRestoring = false;
    }
  }

  private restore(name: ByteString, value: string | undefined): void {
    const settings = value === undefined ? NOTHING_SET : settingsIn(value);
    const problem = settings ? this.setHere(name, settings)?.text : `${value} cannot be understood`;
    if (!problem) return;
    const shown = fromByteString(name);
    this.log('error', `storage: the settings of ${shown} are left out: ${problem}`, { function: shown });
  }
}

/** The settings in a stored value, or undefined where the value is not valid. */
function settingsIn(value: string): FunctionSettings | undefined {
  try {
    const { paused, limits } = JSON.parse(value) as { paused?: unknown; limits?: unknown };
    if (typeof paused !== 'boolean' || !(limits === undefined || areLimits(limits))) return undefined;
    return { isPaused: paused, limits };
  } catch {
    return undefined;
  }
}

function areLimits(value: unknown): value is [number, number, number] {
  const isLimit = (limit: unknown): boolean => Number.isSafeInteger(limit) && (limit as number) >= 0;
  return Array.isArray(value) && value.length === 3 && value.every(isLimit);
}
