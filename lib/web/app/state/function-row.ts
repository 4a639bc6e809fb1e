import { readableName } from './readable.js';

/** What can be wrong with a function, the worst first. */
export const TROUBLES = ['no workers', 'stalled', 'full', 'failing', 'paused'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What each of them means, and what helps. */
export const MEANING: Readonly<Record<Trouble, string>> = {
  'no workers': 'Jobs wait and nobody is there who does them: start a worker.',
  stalled: 'A job has run for more than 10 minutes and none has ended lately: look at its workers.',
  full: 'Its queue is as long as its limit allows: submissions are refused.',
  failing: 'One in ten jobs or more failed in the last minute.',
  paused: 'Its jobs are held back until it is resumed.',
};

/** The span of time over which flow is measured, in milliseconds. */
const FLOW_SPAN = 10_000;
const FAILURE_SPAN = 60_000;

/** A job that runs for this long while no job ends is a stall, in milliseconds. */
const STALL = 600_000;

/** How much a counter grew within a span of time. */
class Growth {
  private readonly times: number[];
  private readonly values: number[];

  constructor(
    private readonly span: number,
    time: number,
    value: number,
  ) {
    this.times = [time];
    this.values = [value];
  }

  see(time: number, value: number): void {
    this.times.push(time);
    this.values.push(value);
    while (this.times.length > 1 && this.times[1]! <= time - this.span) {
      this.times.shift();
      this.values.shift();
    }
  }

  by(now: number): number {
    let first = 0;
    while (first + 1 < this.times.length && this.times[first + 1]! <= now - this.span) first++;
    return this.values.at(-1)! - this.values[first]!;
  }

  perSecond(now: number): number {
    const first = this.times.find((_, index) => (this.times[index + 1] ?? now) > now - this.span) ?? now;
    return this.by(now) / Math.min(this.span / 1_000, Math.max(1, (now - first) / 1_000));
  }

  isOver(now: number): boolean {
    return this.times.at(-1)! <= now - this.span;
  }
}

/** The names of a row's numbers, as in the stream's `columns`. */
export type Column =
  | 'high'
  | 'normal'
  | 'low'
  | 'delayed'
  | 'running'
  | 'workers'
  | 'submitted'
  | 'completed'
  | 'failed'
  | 'dead'
  | 'oldestAt'
  | 'longestAt'
  | 'paused'
  | 'full';

/** A function as the stream describes it. */
export class FunctionRow {
  readonly label: string;
  trouble: Trouble | undefined;
  /** Its position by what is wrong and how much waits: the larger, the further up. */
  weight = 0;
  private numbers: readonly (number | null)[] = [];
  private growth: { submitted: Growth; completed: Growth; failed: Growth; minuteDone: Growth } | undefined;
  private wasTold = false;

  constructor(
    readonly id: number,
    readonly name: string,
    readonly name64: string | undefined,
    private readonly columns: Readonly<Record<Column, number>>,
  ) {
    this.label = readableName(name, name64);
  }

  /** A number; null if the job server does not tell it. */
  get(column: Column): number | null {
    const value = this.numbers[this.columns[column]];
    return value === undefined ? 0 : value;
  }

  get waiting(): number {
    return (this.get('high') ?? 0) + (this.get('normal') ?? 0) + (this.get('low') ?? 0);
  }

  /** Reads new numbers. @param numbers without the row's own number; zeros at the end may be missing. */
  see(numbers: readonly (number | null)[], now: number): void {
    const before = [this.get('submitted'), this.get('completed'), this.get('failed')] as const;
    this.numbers = numbers;
    const after = [this.get('submitted'), this.get('completed'), this.get('failed')] as const;
    if (this.wasTold && after.some((value, index) => value !== before[index])) this.grow(before, after, now);
    this.wasTold = true;
    this.judge(now);
  }

  /** Checks what may change because time passes. @returns false if nothing will change that way any more. */
  judge(now: number): boolean {
    if (this.growth?.submitted.isOver(now - FAILURE_SPAN)) this.growth = undefined;
    this.trouble = this.troubleAt(now);
    const rank = this.trouble === undefined ? 0 : TROUBLES.length - TROUBLES.indexOf(this.trouble);
    const { waiting } = this;
    const isBusy = waiting > 0 || (this.get('running') ?? 0) > 0 || this.growth !== undefined;
    this.weight = rank * 100 + (waiting > 0 ? 10 + Math.floor(Math.log2(waiting)) : isBusy ? 1 : 0);
    return this.isRestless;
  }

  /** Whether what is wrong with it may change only because time passes. */
  get isRestless(): boolean {
    return this.growth !== undefined || (this.get('longestAt') ?? 0) > 0;
  }

  inPerSecond(now: number): number {
    return this.growth?.submitted.perSecond(now) ?? 0;
  }

  donePerSecond(now: number): number {
    return this.growth?.completed.perSecond(now) ?? 0;
  }

  /** How many jobs failed within the last minute. */
  failedLately(now: number): number {
    return this.growth?.failed.by(now) ?? 0;
  }

  private grow(before: readonly (number | null)[], after: readonly (number | null)[], now: number): void {
    // A row that was not sent has not changed: until the look before, everything was as it was.
    const start = (span: number, index: number): Growth => new Growth(span, now - 1_000, before[index] ?? 0);
    this.growth ??= {
      submitted: start(FLOW_SPAN, 0),
      completed: start(FLOW_SPAN, 1),
      failed: start(FAILURE_SPAN, 2),
      minuteDone: start(FAILURE_SPAN, 1),
    };
    this.growth.submitted.see(now, after[0] ?? 0);
    this.growth.completed.see(now, after[1] ?? 0);
    this.growth.failed.see(now, after[2] ?? 0);
    this.growth.minuteDone.see(now, after[1] ?? 0);
  }

  private troubleAt(now: number): Trouble | undefined {
    const longest = this.get('longestAt');
    const failed = this.failedLately(now);
    const done = this.growth?.minuteDone.by(now) ?? 0;
    if (this.get('workers') === 0 && this.waiting > 0 && this.get('paused') !== 1) return 'no workers';
    if (longest !== null && longest > 0 && now - longest > STALL && done === 0) return 'stalled';
    if (this.get('full') === 1) return 'full';
    if (failed > 0 && failed >= (failed + done) / 10) return 'failing';
    return this.get('paused') === 1 ? 'paused' : undefined;
  }
}
