import { InvalidOptionError } from '../ground/index.js';
import type { WorkloadFormat } from './formats.js';
import { checkOptions, RULES } from './option-rules.js';

/**
 * What one handler may say about its function: in `@GearmanFunction(name, options)`
 * or in the extras of `@MessagePattern(name, extras)` and `@EventPattern`.
 */
export interface GearmanHandlerOptions {
  /**
   * How many of the function's jobs run at once in this process, apart from
   * the strategy's `concurrency`. Default: shares that.
   */
  concurrency?: number;
  /**
   * How long a job may run, in milliseconds; then `context.signal` aborts and
   * the job fails. 0: for ever. Default: the strategy's `timeout`.
   */
  timeout?: number;
  /** How workload and result travel. Default: the contract's format, then the strategy's. */
  format?: WorkloadFormat;
}

const HANDLER_RULES = { concurrency: RULES.count, timeout: RULES.duration, format: RULES.format };

/** The options among a handler's extras, which may hold other transports' too. Throws `GEARMAN_INVALID_OPTION`. */
export function handlerOptionsOf(extras: GearmanHandlerOptions, functionName: string): GearmanHandlerOptions {
  checkOptions(extras, HANDLER_RULES, `of the function "${functionName}"`);
  const { concurrency, timeout, format } = extras;
  return { concurrency, timeout, format };
}

/** The options of one function with several event handlers. Throws `GEARMAN_INVALID_OPTION` where two of them disagree. */
export function mergeHandlerOptions(
  one: GearmanHandlerOptions,
  other: GearmanHandlerOptions,
  functionName: string,
): GearmanHandlerOptions {
  for (const option of Object.keys(HANDLER_RULES) as (keyof GearmanHandlerOptions)[]) {
    if (one[option] !== undefined && other[option] !== undefined && one[option] !== other[option]) {
      throw new InvalidOptionError(
        option,
        `must be said by one handler of the function "${functionName}", not by two: ${one[option]} and ${other[option]}`,
      );
    }
  }
  return {
    concurrency: one.concurrency ?? other.concurrency,
    timeout: one.timeout ?? other.timeout,
    format: one.format ?? other.format,
  };
}
