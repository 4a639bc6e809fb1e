import {
  BOOLEAN,
  checkNames as checkKnown,
  duration,
  InvalidOptionError,
  notAllowed,
  oneOf,
  wholeNumber,
  type OptionRule,
} from '../ground/index.js';
import { WORKLOAD_FORMATS } from './formats.js';

/** The rules for options of the transport. */
export const RULES = {
  format: oneOf(...WORKLOAD_FORMATS),
  duration: duration(),
  count: wholeNumber(1),
  boolean: BOOLEAN,
  prefix: {
    test: (value) => typeof value === 'string' && !value.includes('\0'),
    allowed: 'a text without NUL',
  },
  serializer: { test: (value) => hasMethod(value, 'serialize'), allowed: 'an object with a method `serialize`' },
  deserializer: { test: (value) => hasMethod(value, 'deserialize'), allowed: 'an object with a method `deserialize`' },
} satisfies Record<string, OptionRule>;

/**
 * Checks each option that is given and has a rule. Throws `GEARMAN_INVALID_OPTION`
 * with the option, what is allowed, and where it was given: `of the function "sum"`.
 */
export function checkOptions<T extends object>(options: T, rules: { [K in keyof T]?: OptionRule }, where = ''): void {
  for (const [option, { test, allowed }] of Object.entries(rules) as [keyof T & string, OptionRule][]) {
    const value: unknown = options[option];
    if (value === undefined || test(value)) continue;
    throw new InvalidOptionError(option, `${notAllowed(value, allowed)}${where && ` (${where})`}`);
  }
}

/**
 * Refuses an option that does not exist: where options have no types, as in
 * `ClientsModule.register`, a misspelt one would silently leave the default.
 */
export function checkNames(options: object, known: object, kind = 'option'): void {
  checkKnown(options, Object.keys(known).sort(), kind);
}

function hasMethod(value: unknown, method: string): boolean {
  return typeof (value as Record<string, unknown> | null)?.[method] === 'function';
}
