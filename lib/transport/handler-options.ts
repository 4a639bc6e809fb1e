import { InvalidOptionError, type OptionRule } from '../ground/index.js';
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

/**
 * Refuses a misspelt option of `@GearmanFunction` and `@GearmanEvent`. The
 * extras of Nest's decorators are not checked: they may be for another transport.
 */
export function checkHandlerOptionNames(options: GearmanHandlerOptions, functionName: string): void {
  checkNames(options, HANDLER_RULES, `option of the function "${functionName}"`);
}

/** The options among a handler's extras, which may contain those of other transports too. Throws `GEARMAN_INVALID_OPTION`. */
export function handlerOptionsOf(extras: GearmanHandlerOptions, functionName: string): GearmanHandlerOptions {
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
