import { InvalidOptionError, nearest, type OptionRule } from '../ground/index.js';
import type { WorkloadFormat } from './formats.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/**
 * What one handler may say about its function: in `@GearmanFunction(name, options)`,
 * or in the extras of `@MessagePattern(name, extras)` and `@EventPattern`.
 */
export interface GearmanHandlerOptions {
  /**
   * How many of the function's jobs run at once in this process, in addition to
   * the strategy's `concurrency`. Default: they share that one.
   */
  concurrency?: number;
  /**
   * How long a job may run, in milliseconds; then `context.signal` aborts and
   * the job fails. 0: no limit. Default: the strategy's `timeout`.
   */
  timeout?: number;
  /** The format of workload and result. Default: the contract's format, then the strategy's. */
  format?: WorkloadFormat;
}

/** The rule of each option; everything else goes by this table. */
const HANDLER_RULES = {
  concurrency: RULES.count,
  timeout: RULES.duration,
  format: RULES.format,
} satisfies Record<keyof GearmanHandlerOptions, OptionRule>;
const NAMES = Object.keys(HANDLER_RULES) as (keyof GearmanHandlerOptions)[];

function optionsBy(value: (name: keyof GearmanHandlerOptions) => unknown): GearmanHandlerOptions {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)]));
}

/** Refuses an option of `@GearmanFunction` and `@GearmanEvent` that does not exist. */
export function checkHandlerOptionNames(options: object, functionName: string): void {
  checkNames(options, HANDLER_RULES, `option of the function "${functionName}"`);
}

/**
 * The options among a handler's extras. Those of Nest's decorators may be for
 * another transport too, such as `qos`, so only what is nearly the name of one of
 * ours counts as misspelt. Throws `GEARMAN_INVALID_OPTION`.
 */
export function handlerOptionsOf(extras: GearmanHandlerOptions, functionName: string): GearmanHandlerOptions {
  const ours = Object.entries(extras).filter(([name]) => nearest(name, NAMES) !== undefined);
  checkHandlerOptionNames(Object.fromEntries(ours), functionName);
  checkOptions(extras, HANDLER_RULES, `of the function "${functionName}"`);
  return optionsBy((name) => extras[name]);
}

/** The options of one function with several event handlers. Throws `GEARMAN_INVALID_OPTION` where two of them disagree. */
export function mergeHandlerOptions(
  one: GearmanHandlerOptions,
  other: GearmanHandlerOptions,
  functionName: string,
): GearmanHandlerOptions {
  for (const option of NAMES) {
    if (one[option] !== undefined && other[option] !== undefined && one[option] !== other[option]) {
      throw new InvalidOptionError(
        option,
        `must be set on one handler of the function "${functionName}", not on two: ${one[option]} and ${other[option]}`,
      );
    }
  }
  return optionsBy((option) => one[option] ?? other[option]);
}
