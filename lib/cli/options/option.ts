/** An option that is there or not: `--ssl`. */
export interface Switch {
  readonly kind: 'switch';
  /** Its one letter. */
  readonly short?: string;
  readonly help: string;
}

/** Reads a value, or throws a ValueProblem. */
export interface ValueReader<Value> {
  (text: string): Value;
  /** All it may be, where that is a few words. */
  readonly words?: readonly string[];
}

/** An option with a value, once or `many` times. */
export interface Valued<Value, Many extends boolean = boolean> {
  readonly kind: 'value';
  readonly short?: string;
  readonly help: string;
  /** How the help calls the value. */
  readonly argument: string;
  /** Reads the value. @throws ValueProblem */
  readonly parse: ValueReader<Value>;
  readonly isMany: Many;
}

/** Any option. One without a help text is understood and not shown. */
export type Option = Switch | Valued<unknown>;

/** The options of a command by their long names. */
export type OptionTable = Readonly<Record<string, Option>>;

/** What was given for the options of a table. */
export type OptionValues<Table extends OptionTable> = {
  -readonly [Name in keyof Table]: Table[Name] extends Valued<infer Value, infer Many>
    ? Many extends true
      ? Value[]
      : Value | undefined
    : boolean;
};

/** Why a value is refused: `allowed` completes "--port: must be ...". */
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
