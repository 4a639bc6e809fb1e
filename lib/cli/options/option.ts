/** An option without a value: `--ssl`. */
export interface Switch {
  readonly kind: 'switch';
  /** Its form of one letter. */
  readonly short?: string;
  readonly help: string;
}

/** Reads a value. Throws a ValueProblem if it is not allowed. */
export interface ValueReader<Value> {
  (text: string): Value;
  /** All values that are allowed, if they are a few words. */
  readonly words?: readonly string[];
}

/** An option with a value; it may be given once, or `many` times. */
export interface Valued<Value, Many extends boolean = boolean> {
  readonly kind: 'value';
  readonly short?: string;
  readonly help: string;
  /** The name of the value in the help. */
  readonly argument: string;
  /** Reads the value. @throws ValueProblem */
  readonly parse: ValueReader<Value>;
  readonly isMany: Many;
}

/** Any option. An option without a help text is accepted but not shown. */
export type Option = Switch | Valued<unknown>;

/** The options of a command by their long names. */
export type OptionTable = Readonly<Record<string, Option>>;

/** The values that were given for the options of a table. */
export type OptionValues<Table extends OptionTable> = {
  -readonly [Name in keyof Table]: Table[Name] extends Valued<infer Value, infer Many>
    ? Many extends true
      ? Value[]
      : Value | undefined
    : boolean;
};

/** Why a value is refused; `allowed` completes "--port: must be ...". */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';

  constructor(readonly allowed: string) {
    super(allowed);
  }
}

type Shown = { short?: string; argument: string };

export function toggle(help: string, short?: string): Switch {
  return { kind: 'switch', help, ...(short && { short }) };
}

export function valued<Value>(help: string, parse: ValueReader<Value>, shown: Shown): Valued<Value, false> {
  return { kind: 'value', help, parse, isMany: false, ...shown };
}

export function listed<Value>(help: string, parse: ValueReader<Value>, shown: Shown): Valued<Value, true> {
  return { kind: 'value', help, parse, isMany: true, ...shown };
}
