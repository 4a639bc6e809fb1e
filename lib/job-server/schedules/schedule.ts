/** What a schedule's jobs carry: text in UTF-8, bytes, or a value as JSON. */
export type ScheduleWorkload = string | Uint8Array | { readonly base64: string } | { readonly json: unknown };

/** What becomes of ticks that passed while nobody could fire them. */
export type MissedPolicy = 'once' | 'skip' | 'all';

/** Whether a tick makes a job while the last one's has not ended. */
export type OverlapPolicy = 'skip' | 'queue';

/** A moment: milliseconds since 1970, a Date, or a text that Date reads. */
export type ScheduleTime = number | Date | string;

/** A recurring job, as it is written. */
export interface ScheduleOptions {
  /** The function of its jobs. */
  readonly function: string;
  /**
   * When: five fields of cron, or six with seconds in front, or `@daily` and its
   * kin; `L` and `#` as croner knows them. At most 256 characters. Either this
   * or `every`.
   */
  readonly cron?: string;
  /** How often, in milliseconds, at least 1,000: at the multiples, counted from `startAt` or 1970. */
  readonly every?: number;
  /** The zone of `cron`, as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
  /** What its jobs carry. Default: nothing. */
  readonly workload?: ScheduleWorkload;
  /** Default `normal`. */
  readonly priority?: 'high' | 'normal' | 'low';
  /**
   * What becomes of ticks that were missed (the job server was down, the storage
   * could not write, the clock was set forward): `once`: the latest of them
   * fires, if it is not older than `missedWithin`; `skip`: none; `all`:
   * each, the oldest first, at most 1,000. Default `once`.
   */
  readonly missed?: MissedPolicy;
  /** How old a missed tick may be that fires with `once`, in milliseconds. Default one hour. */
  readonly missedWithin?: number;
  /** `skip`: no job while the last one waits, runs or will be tried again; `queue`: always one. Default `skip`. */
  readonly overlap?: OverlapPolicy;
  /** Jobs may run up to so many milliseconds later, with another delay for each tick. Default 0. */
  readonly jitter?: number;
  /** No tick before this moment. */
  readonly startAt?: ScheduleTime;
  /** No tick after this moment. */
  readonly endAt?: ScheduleTime;
  /** True: no tick until it is resumed. Default false. */
  readonly isPaused?: boolean;
}

/** Schedules by their ids: 1 to 40 bytes without blanks and control characters. */
export type ScheduleTable = Readonly<Record<string, ScheduleOptions>>;

/** A schedule that was checked, with every default filled in. Names are byte strings. */
export interface Schedule {
  readonly id: string;
  readonly function: string;
  readonly cron?: string;
  readonly every?: number;
  readonly timeZone: string;
  readonly workload: Uint8Array;
  /** 0 high, 1 normal, 2 low. */
  readonly priority: 0 | 1 | 2;
  readonly missed: MissedPolicy;
  readonly missedWithin: number;
  readonly overlap: OverlapPolicy;
  readonly jitter: number;
  /** Milliseconds since 1970; Infinity: for ever. */
  readonly startAt: number;
  readonly endAt: number;
  readonly isPaused: boolean;
}
