import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InvalidOptionError } from '../../ground/index.js';

/** What is used of the package `croner`. */
interface CronPattern {
  nextRun(after: Date): Date | null;
  previousRuns(count: number, before: Date): Date[];
}

interface Croner {
  readonly Cron: new (
    pattern: string,
    options: { readonly timezone: string; readonly mode: '5-or-6-parts' },
  ) => CronPattern;
}

/** The times of a pattern in a zone, as croner has them. */
export class Cron {
  private readonly pattern: CronPattern;
  /** The last answer: many schedules have the same pattern, and ask the same. */
  private memo: { readonly after: number; readonly next: number } | undefined;

  /** @throws Error in croner's words for a pattern that is none. */
  constructor(pattern: string, timeZone: string, load: () => Croner = loadCroner) {
    const { Cron: Pattern } = load();
    this.pattern = new Pattern(pattern, { timezone: timeZone, mode: '5-or-6-parts' });
  }

  /** The first time after this one, in milliseconds since 1970; Infinity: never. */
  next(after: number): number {
    if (this.memo?.after === after) return this.memo.next;
    const next = this.pattern.nextRun(new Date(after))?.getTime() ?? Infinity;
    this.memo = { after, next };
    return next;
  }

  /** The last time that is not after this one; -Infinity: there was none. */
  last(until: number): number {
    const [last] = this.pattern.previousRuns(1, new Date(Math.floor(until / 1_000) * 1_000 + 1_000));
    return last?.getTime() ?? -Infinity;
  }
}

/** Patterns by their zones: made once for all schedules that have them. */
export class CronTable {
  private readonly crons = new Map<string, Cron>();

  of(pattern: string, timeZone: string): Cron {
    const key = `${timeZone} ${pattern}`;
    let cron = this.crons.get(key);
    if (!cron) this.crons.set(key, (cron = new Cron(pattern, timeZone)));
    return cron;
  }

  /** Forgets all that nobody asks for any more. */
  clear(): void {
    this.crons.clear();
  }
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
    'needs the package croner, which is not installed: install it with `npm i croner`, or say `every`',
  );
}

/**
 * Where the program lies: its packages are found from there, also where it is
 * not started in its own folder. This file's own place would be asked by
 * `import.meta`, which Jest cannot compile for CommonJS apps.
 */
function mainFolder(): string {
  const [, main] = process.argv;
  return main !== undefined && existsSync(main) ? dirname(realpathSync(main)) : process.cwd();
}
