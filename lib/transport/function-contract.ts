import type { WorkloadFormat } from './formats.js';
import { checkOptions, RULES } from './option-rules.js';

/** What both sides of a function agree on. */
export interface FunctionContractOptions {
  /** How workload and result travel. Default: each side's own `format`. */
  format?: WorkloadFormat;
}

/**
 * A function as handler and client share it: its name, the types of its
 * workload and result, and their format. Made by {@link defineFunction}.
 */
export class FunctionContract<In = unknown, Out = unknown> {
  /** Tells a contract from a pattern that is an object. */
  declare readonly isContract: true;
  /** Carries the types, and no value. */
  declare protected readonly types: (input: In) => Out;

  constructor(
    /** The function's name, without the prefix of either side. */
    readonly name: string,
    readonly options: Readonly<FunctionContractOptions> = {},
  ) {
    checkOptions(options, { format: RULES.format }, `of the function "${name}"`);
  }

  /** The name: what Nest shows where it shows a pattern. */
  toString(): string {
    return this.name;
  }
}

/** A pattern as Nest's decorators take it, and no contract: that has types of its own to keep. */
export type UntypedPattern =
  string | number | (object & NoContract) | (NoContract & { readonly [key: string]: unknown });

/** What is no contract: an object without a contract's brand. */
export interface NoContract {
  readonly isContract?: never;
}

/**
 * Declares a function once for both sides, so that a mismatch of types or
 * formats does not compile.
 *
 * ```ts
 * export const reverse = defineFunction<string, string>('reverse', { format: 'text' });
 *
 * class Texts {
 *   @GearmanFunction(reverse) run(text: string) { return [...text].reverse().join(''); }
 * }
 *
 * client.send(reverse, 'Hello world!'); // Observable<string>
 * ```
 */
export function defineFunction<In, Out>(
  name: string,
  options: FunctionContractOptions = {},
): FunctionContract<In, Out> {
  return new FunctionContract<In, Out>(name, Object.freeze({ ...options }));
}
