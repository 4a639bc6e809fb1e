import { InvalidOptionError, oneOf, MAX_UNIQUE_BYTES } from '../ground/index.js';
import { isMetadata, type GearmanMetadata, type JobPriority } from '../driver/index.js';
import type { WorkloadFormat } from './formats.js';
import { checkOptions, RULES } from './option-rules.js';

const PRIORITIES: readonly string[] = ['high', 'normal', 'low'] satisfies JobPriority[];

/** What one job asks for in addition to its function and workload. All of it is optional. */
export interface GearmanRecordOptions {
  /** Default: `normal`. */
  priority?: JobPriority;
  /**
   * Jobs of one function with the same unique are one job: it runs once, and each
   * caller gets its result. `-` makes the workload the unique. At most 64 bytes.
   * Default: none, so every submission is a job of its own.
   */
  unique?: string;
  /** The format of this job's workload and result. Default: the contract's, then the client's `format`. */
  format?: WorkloadFormat;
  /** The job does not run before this time, rounded to the second. Only for background jobs (`emit`). */
  at?: Date;
  /** The job does not run before so many milliseconds have passed, rounded to the second. Only for background jobs (`emit`). */
  delay?: number;
  /** How long the caller waits while nothing comes from the job, in milliseconds; 0: no limit. Default: the client's `timeout`. */
  timeout?: number;
  /**
   * Whether to submit the job again to another job server when its own is lost.
   * The job may then run twice: say `false` if that is worse than an error.
   * Default: true.
   */
  resubmit?: boolean;
  /** Metadata beside the workload; see the client's option `metadata`. */
  metadata?: GearmanMetadata;
  /** The function that reduces the results; the worker reads it as `context.reducer`. */
  reducer?: string;
}

/**
 * Data to send, together with what its job asks for: pass it to `send`, `emit` or
 * `submit` instead of the data.
 *
 * Throws `GEARMAN_INVALID_OPTION` for an option that is not allowed.
 */
export class GearmanRecord<T = unknown> {
  constructor(
    readonly data: T,
    readonly options: Readonly<GearmanRecordOptions> = {},
  ) {
    checkRecordOptions(options);
  }
}

/**
 * Builds a {@link GearmanRecord}, in the same way as `RmqRecordBuilder` and
 * `NatsRecordBuilder` of Nest.
 *
 * ```ts
 * client.emit('report', new GearmanRecordBuilder({ month: 7 }).setPriority('low').setUnique('report-7').build());
 * ```
 */
export class GearmanRecordBuilder<T = unknown> {
  private options: GearmanRecordOptions = {};

  constructor(private data: T) {}

  /** Replaces the data. */
  setData(data: T): this {
    this.data = data;
    return this;
  }

  /** Sets several options at once; other options that were set before stay. */
  setOptions(options: GearmanRecordOptions): this {
    this.options = { ...this.options, ...options };
    return this;
  }

  /** See {@link GearmanRecordOptions.priority}. */
  setPriority(priority: JobPriority): this {
    return this.setOptions({ priority });
  }

  /** See {@link GearmanRecordOptions.unique}. */
  setUnique(unique: string): this {
    return this.setOptions({ unique });
  }

  /** See {@link GearmanRecordOptions.format}. */
  setFormat(format: WorkloadFormat): this {
    return this.setOptions({ format });
  }

  /** See {@link GearmanRecordOptions.at}. */
  setAt(at: Date): this {
    return this.setOptions({ at });
  }

  /** See {@link GearmanRecordOptions.delay}; milliseconds. */
  setDelay(delay: number): this {
    return this.setOptions({ delay });
  }

  /** See {@link GearmanRecordOptions.timeout}; milliseconds. */
  setTimeout(timeout: number): this {
    return this.setOptions({ timeout });
  }

  /** See {@link GearmanRecordOptions.resubmit}. */
  setResubmit(resubmit: boolean): this {
    return this.setOptions({ resubmit });
  }

  /** See {@link GearmanRecordOptions.metadata}. */
  setMetadata(metadata: GearmanMetadata): this {
    return this.setOptions({ metadata });
  }

  /** See {@link GearmanRecordOptions.reducer}. */
  setReducer(reducer: string): this {
    return this.setOptions({ reducer });
  }

  /** The record. Throws `GEARMAN_INVALID_OPTION` for an option that is not allowed. */
  build(): GearmanRecord<T> {
    return new GearmanRecord(this.data, this.options);
  }
}

const RECORD_RULES = {
  priority: oneOf(...PRIORITIES),
  unique: { test: isUnique, allowed: `a text of 1 to ${MAX_UNIQUE_BYTES} bytes without NUL` },
  format: RULES.format,
  at: { test: (value: unknown) => value instanceof Date && !Number.isNaN(value.getTime()), allowed: 'a valid Date' },
  delay: {
    test: (value: unknown) => Number.isFinite(value) && (value as number) >= 0,
    allowed: 'milliseconds, 0 or more',
  },
  timeout: RULES.duration,
  resubmit: RULES.boolean,
  metadata: { test: isMetadata, allowed: 'an object whose values are texts' },
  reducer: { test: (value: unknown) => typeof value === 'string' && value !== '', allowed: 'the name of a function' },
};

function checkRecordOptions(options: GearmanRecordOptions): void {
  checkOptions(options, RECORD_RULES, 'in a record');
  if (options.at !== undefined && options.delay !== undefined) {
    throw new InvalidOptionError('delay', 'must be left out where `at` is given (in a record)');
  }
}

function isUnique(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return false;
  return Buffer.byteLength(value) <= MAX_UNIQUE_BYTES;
}
