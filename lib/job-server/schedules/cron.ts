import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InvalidOptionError } from '../../ground/index.js';

/** What is used of the package `croner`. */
interface CronPattern {
  nextRun(after: Date): Date | null;
  previousRuns(count: number, before: Date): Date[];
}

type CronerOptions = { readonly mode: '5-or-6-parts' } & (
  | { readonly timezone: string }
  | { readonly utcOffset: number }
);

interface Croner {
  readonly Cron: new (pattern: string, options: CronerOptions) => CronPattern;
}

/** Of how many patterns the last answer is kept: more than there may be schedules. */
const MAX_ANSWERS = 20_000;
/** How many time zones are remembered as known. */
const MAX_ZONES = 1_000;

/** A pattern of cron in a time zone. */
export interface ZonedPattern {
  readonly cron: string;
  readonly timeZone: string;
}

/** A stretch of time in which a pattern has no time, up to its next. */
interface Stretch {
  readonly after: number;
  readonly next: number;
}

/**
 * The times of patterns, as croner finds them. The last answer of each pattern is
 * kept, since many schedules have the same pattern and ask about the same time.
 *
 * Of croner's objects only that of the pattern asked last is kept. Each is 80 kB
 * and made in 30 us: keeping more of them costs more, since V8 copies what stays
 * alive.
 */
export class CronTable {
  private latest: { readonly key: string; readonly pattern: CronPattern } | undefined;
  private readonly answers = new Map<string, Stretch>();
  private readonly zones = new Set<string>(['UTC']);
  private croner: Croner | undefined;

  constructor(private readonly load: () => Croner = loadCroner) {}

  /**
   * The first time after this one, in milliseconds since 1970; Infinity: never.
   *
   * @throws Error in croner's words for a pattern that is none.
   */
  next(pattern: ZonedPattern, after: number): number {
    const key = keyOf(pattern);
    const known = this.answers.get(key);
    if (known && known.after <= after && after < known.next) return known.next;
    const next = this.patternOf(pattern, key).nextRun(new Date(after))?.getTime() ?? Infinity;
    this.keep(key, { after, next });
    return next;
  }

  /** The last time that is not after this one; -Infinity: there was none. */
  last(pattern: ZonedPattern, until: number): number {
    const before = new Date(Math.floor(until / 1_000) * 1_000 + 1_000);
    const [last] = this.patternOf(pattern, keyOf(pattern)).previousRuns(1, before);
    return last?.getTime() ?? -Infinity;
  }

  /** Whether there is such a time zone: croner accepts an unknown one, and throws when it is asked for a time. */
  hasZone(zone: string): boolean {
    if (this.zones.has(zone)) return true;
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
    } catch {
      return false;
    }
    if (this.zones.size < MAX_ZONES) this.zones.add(zone);
    return true;
  }

  /** Keeps an answer; where there are too many, in the place of the oldest. */
  private keep(key: string, stretch: Stretch): void {
    const { answers } = this;
    if (!answers.delete(key) && answers.size >= MAX_ANSWERS) answers.delete(answers.keys().next().value!);
    answers.set(key, stretch);
  }

  private patternOf({ cron, timeZone }: ZonedPattern, key: string): CronPattern {
    if (this.latest?.key === key) return this.latest.pattern;
    const { Cron } = (this.croner ??= this.load());
    // UTC as an offset: of a zone croner asks Intl, and a time then takes 89 us instead of 20.
    const zone = timeZone === 'UTC' ? { utcOffset: 0 } : { timezone: timeZone };
    const pattern = new Cron(cron, { ...zone, mode: '5-or-6-parts' });
    this.latest = { key, pattern };
    return pattern;
  }
}

function keyOf({ cron, timeZone }: ZonedPattern): string {
  return `${timeZone} ${cron}`;
}

/** Loads the package `croner`, an optional peer: only who has a cron pattern needs it. */
function loadCroner(): Croner {
  for (const folder of [process.cwd(), mainFolder()]) {
    try {
      return createRequire(join(folder, 'package.json'))('croner') as Croner;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new InvalidOptionError(
    'cron',
    'needs the package croner, which is not installed at the job server: install it there with `npm i croner` and start the job server again, or use `every`',
  );
}

/**
 * The folder of the program's main file: its packages are found from there,
 * also where it is not started in its own folder. Not the folder of this file:
 * that takes `import.meta`, which Jest cannot compile for CommonJS apps.
 */
function mainFolder(): string {
  const [, main] = process.argv;
  return main !== undefined && existsSync(main) ? dirname(realpathSync(main)) : process.cwd();
}
