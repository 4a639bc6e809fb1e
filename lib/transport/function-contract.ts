import type { OptionRule } from '../ground/index.js';
import type { WorkloadFormat } from './formats.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/** What both sides of a function agree on. */
export interface FunctionContractOptions {
  /** The format of workload and result. Default: each side's own `format`. */
  format?: WorkloadFormat;
}

const CONTRACT_RULES = { format: RULES.format } satisfies Record<keyof FunctionContractOptions, OptionRule>;

/**
 * A function as handler and client share it: its name, the types of its
 * workload and result, and their format. {@link defineFunction} makes it.
 */
export class FunctionContract<In = unknown, Out = unknown> {
  /** Makes a contract differ from a pattern that is an object. */
  declare readonly isContract: true;
  /** Only carries the types; it has no value. */
  declare protected readonly types: (input: In) => Out;

  constructor(
    /** The function's name, without the prefix of either side. */
    readonly name: string,
    readonly options: Readonly<FunctionContractOptions> = {},
  ) {
    checkNames(options, CONTRACT_RULES, `option of the contract "${name}"`);
    checkOptions(options, CONTRACT_RULES, `of the function "${name}"`);
  }

  /** The name, which Nest shows as the pattern. */
  toString(): string {
    return this.name;
  }
}

/** A pattern that Nest's decorators accept and that is no contract, because a contract has types of its own. */
export type UntypedPattern =
  | string
  | number
  | (object & NoContract)
  | (NoContract & { readonly [key: string]: unknown });

/** An object that is no contract: it does not have a contract's brand. */
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
