import { InvalidOptionError } from '../driver/index.js';
import { WORKLOAD_FORMATS, type WorkloadFormat } from './formats.js';

/** Node's timers take no longer wait: 2^31 - 1 milliseconds, some 24 days. */
const MAX_DURATION = 0x7fff_ffff;

/** What an option's value must be: a test, and the words a message says it in. */
interface OptionRule {
  readonly test: (value: unknown) => boolean;
  readonly allowed: string;
}

/** The rules that options of the transport go by. */
export const RULES = {
  format: oneOf(WORKLOAD_FORMATS),
  duration: {
    test: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_DURATION,
    allowed: `a whole number of milliseconds from 0 to ${MAX_DURATION}`,
  },
  count: { test: (value) => Number.isInteger(value) && (value as number) > 0, allowed: 'a whole number above 0' },
  boolean: { test: (value) => typeof value === 'boolean', allowed: 'true or false' },
  prefix: {
    test: (value) => typeof value === 'string' && !value.includes('\0'),
    allowed: 'a text without NUL',
  },
  serializer: { test: (value) => hasMethod(value, 'serialize'), allowed: 'an object with a method `serialize`' },
  deserializer: { test: (value) => hasMethod(value, 'deserialize'), allowed: 'an object with a method `deserialize`' },
} satisfies Record<string, OptionRule>;

/** A rule: one of these texts. */
export function oneOf(values: readonly string[]): OptionRule {
  return { test: (value) => values.includes(value as WorkloadFormat), allowed: `one of ${values.join(', ')}` };
}

/** Checks each option that is given and has a rule; throws `GEARMAN_INVALID_OPTION`, naming the option and what is allowed. */
export function checkOptions<T extends object>(options: T, rules: { [K in keyof T]?: OptionRule }, where = ''): void {
  for (const [option, rule] of Object.entries(rules) as [keyof T & string, OptionRule][]) {
    const value: unknown = options[option];
    if (value !== undefined && !rule.test(value)) {
      throw new InvalidOptionError(option, `${where}it must be ${rule.allowed}, not ${describe(value)}`);
    }
  }
}

/**
 * Refuses an option that nobody reads: where options are not typed, as in
 * `ClientsModule.register`, a slip of the pen would mean the default.
 */
export function checkNames(options: object, known: object): void {
  for (const option of Object.keys(options)) {
    if (!(option in known)) {
      throw new InvalidOptionError(option, `is no option; there are ${Object.keys(known).sort().join(', ')}`);
    }
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function hasMethod(value: unknown, method: string): boolean {
  return typeof (value as Record<string, unknown> | null)?.[method] === 'function';
}
