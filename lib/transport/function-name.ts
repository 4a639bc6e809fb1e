import { GearmanError, shown } from '../ground/index.js';

/**
 * The name of a pattern's Gearman function: the prefix, then the pattern's route.
 *
 * Every Nest transport makes the same route of a pattern: a text stays as it is,
 * a number becomes its digits, an object its JSON with the keys sorted at every
 * depth. So `{ cmd: 'sum', v: 1 }` is the function `{"cmd":"sum","v":1}`, and
 * foreign clients call it by exactly that name.
 */
export function functionNameOf(pattern: unknown, route: unknown, prefix: string): string {
  if (pattern instanceof RegExp) {
    throw invalidPattern(pattern, 'a job server knows functions by name only; register each name');
  }
  if (typeof route !== 'string' || route === '') {
    throw invalidPattern(pattern, 'use a text, a number or an object of those');
  }
  if (route.includes('\0')) throw invalidPattern(pattern, 'a function name holds no NUL');
  return prefix + route;
}

function invalidPattern(pattern: unknown, cure: string): GearmanError {
  const text = typeof pattern === 'string' ? shown(pattern) : String(pattern);
  return new GearmanError('GEARMAN_INVALID_PATTERN', `${text} cannot name a Gearman function: ${cure}`);
}
