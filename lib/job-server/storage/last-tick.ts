/** How the names of settings begin that keep the last ticks of schedules. */
const PREFIX = 'tick:';

/** The last tick of a schedule. */
export interface LastTick {
  /** Milliseconds since 1970. */
  readonly tick: number;
  /** The job that was fired last, not necessarily by this tick; undefined: none yet. */
  readonly handle?: string | undefined;
}

/**
 * The name of the setting that keeps a schedule's last tick. Its value: the tick's time, a blank,
 * and the handle of the job fired last.
 */
export function tickName(id: string): string {
  return PREFIX + id;
}

/** The last tick a storage knows of a schedule. */
export function lastTickIn(settings: ReadonlyMap<string, string>, id: string): LastTick | undefined {
  return readTick(settings.get(tickName(id)));
}

/** The ids of all schedules that have a last tick. */
export function* idsOfTicks(settings: ReadonlyMap<string, string>): Iterable<string> {
  for (const name of settings.keys()) if (name.startsWith(PREFIX)) yield name.slice(PREFIX.length);
}

/** What the setting becomes with this tick, or undefined where it is not later than the one that is there. */
export function laterTick(before: string | undefined, tick: number, handle: string | undefined): string | undefined {
  const last = readTick(before);
  if (last && last.tick >= tick) return undefined;
  const shown = handle ?? last?.handle;
  return shown === undefined ? String(tick) : `${tick} ${shown}`;
}

function readTick(value: string | undefined): LastTick | undefined {
  const [, tick, handle] = /^(\d+)(?: ([^]+))?$/.exec(value ?? '') ?? [];
  return tick === undefined ? undefined : { tick: Number(tick), handle };
}
