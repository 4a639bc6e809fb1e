import type { AdminClient, FunctionActivity, FunctionOverview } from '../../driver/index.js';
import { toByteString } from '../../protocol/index.js';
import { nameFields } from '../function-name.js';
import type { SeenFunction, SeenName } from '../live/function-board.js';
import type { Sight } from '../live/live.js';

/** How far the same moment may seem to move, because answers take different times, in milliseconds. */
const JITTER = 1_500;

/** A job server elsewhere as viewers see it; what it does not tell is null. */
export class RemoteSight implements Sight<string> {
  readonly epoch = new Date();
  version: string | undefined;
  private readonly zero = performance.now();
  private last: SeenFunction<string>[] = [];
  /** The moments as they were first computed. */
  private moments = new Map<string, { oldest: number | null; longest: number | null }>();
  private trouble: string | undefined;

  constructor(private readonly admin: AdminClient) {}

  get now(): number {
    return Math.floor(performance.now() - this.zero);
  }

  nameOf(name: string): SeenName {
    return nameFields(toByteString(name));
  }

  async functions(): Promise<Iterable<SeenFunction<string>>> {
    try {
      this.version ??= await this.admin.version();
      const functions = await this.admin.functions();
      const activity = new Map((await this.admin.activity())?.map((row) => [row.function, row]));
      const moments: typeof this.moments = new Map();
      this.last = functions.map((row) => this.rowOf(row, activity.get(row.function), moments));
      this.moments = moments;
      this.trouble = undefined;
    } catch (error) {
      // Viewers are told of it, and keep seeing the last answer.
      this.trouble = (error as Error).message;
    }
    return this.last;
  }

  state(eventStreams: number): object {
    return {
      version: this.version ?? null,
      ...(this.trouble !== undefined && { trouble: this.trouble }),
      functions: this.last.length,
      eventStreams,
    };
  }

  attend(): boolean {
    return false;
  }

  private rowOf(
    row: FunctionOverview,
    activity: FunctionActivity | undefined,
    moments: typeof this.moments,
  ): SeenFunction<string> {
    const before = this.moments.get(row.function);
    const oldest = this.momentOf(activity?.oldestWaiting, before?.oldest);
    const longest = this.momentOf(activity?.longestRunning, before?.longest);
    moments.set(row.function, { oldest, longest });
    const { submitted = null, completed = null, failed = null } = activity ?? {};
    const { high, normal, low, delayed = null, running, workers, isPaused, limits, total } = row;
    const isFull = limits && Object.values(limits).some((limit) => limit > 0 && total >= limit);
    const flags = [isPaused, isFull].map((flag) => (flag === undefined ? null : Number(flag)));
    const values = [high, normal, low, delayed, running, workers, submitted, completed, failed];
    // No admin command tells how many dead letters there are without listing all of them.
    return { key: row.function, values: [...values, null, oldest, longest, ...flags] };
  }

  /** The moment at which something of this age began. */
  private momentOf(age: number | undefined, before: number | null | undefined): number | null {
    if (age === undefined) return null;
    if (age === 0) return 0;
    const moment = Math.floor(performance.now() - this.zero - age) || 1;
    return before && Math.abs(moment - before) < JITTER ? before : moment;
  }
}
