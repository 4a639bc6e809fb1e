// Not imported from the room's entry point, because that loads Nest.
import type { FunctionPolicies, FunctionPolicy } from '../../job-server/durable/index.js';
import { UsageFailure } from '../failure.js';
import { ValueProblem } from '../options/option.js';
import { duration, oneOf, whole } from '../options/values.js';

/** One `--policy`: a function, or `*` for all without a policy of their own, and what happens to its failed background jobs. */
export interface NamedPolicy {
  readonly function: string;
  readonly policy: FunctionPolicy;
}

const FORM = 'FUNCTION:SETTING,SETTING, as resize:retries=5,backoff=1s..10m,factor=2,jitter=0.2,dead-letter=off';

const SETTINGS: Readonly<Record<string, (value: string) => FunctionPolicy>> = {
  retries: (value) => ({ retries: whole(0)(value) }),
  backoff: (value) => ({ backoff: waits(value) }),
  factor: (value) => ({ backoff: { factor: decimal(value, 1) } }),
  jitter: (value) => ({ backoff: { jitter: decimal(value, 0, 1) } }),
  'dead-letter': (value) => ({ deadLetter: oneOf('on', 'off')(value) === 'on' }),
};

/**
 * Reads a `--policy`. The settings begin after the last colon, because names of
 * functions may contain colons: `Image::resize:retries=5`.
 *
 * @throws ValueProblem naming the setting and what is allowed.
 */
export function functionPolicy(value: string): NamedPolicy {
  const colon = value.lastIndexOf(':');
  const [name, settings] = [value.slice(0, Math.max(0, colon)), value.slice(colon + 1)];
  if (name === '' || settings === '') throw new ValueProblem(FORM);
  let policy: FunctionPolicy = {};
  const given = new Set<string>();
  for (const setting of settings.split(',')) {
    const [, word = '', text = ''] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
    if (!Object.hasOwn(SETTINGS, word)) {
      throw new ValueProblem(
        `${FORM} (there are ${Object.keys(SETTINGS).join(', ')}; ${setting || 'nothing'} is none)`,
      );
    }
    if (given.has(word)) throw new ValueProblem(`${FORM} (${word} is given twice)`);
    given.add(word);
    const read = readSetting(word, text);
    policy = { ...policy, ...read, ...(read.backoff && { backoff: { ...policy.backoff, ...read.backoff } }) };
  }
  return { function: name, policy };
}

/** The job server's `policies`. @throws UsageFailure for a function that has two. */
export function policiesFrom(named: readonly NamedPolicy[]): FunctionPolicies {
  const names = named.map(({ function: name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageFailure(`--policy is given twice for ${twice}; make one of the two`);
  return Object.fromEntries(named.map(({ function: name, policy }) => [name, policy]));
}

function readSetting(word: string, text: string): FunctionPolicy {
  try {
    return SETTINGS[word]!(text);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new ValueProblem(`${FORM} (${word} must be ${error.allowed})`);
  }
}

/** Reads the waits: `1s` is the wait before the first retry; `1s..10m` also has the longest wait. */
function waits(value: string): FunctionPolicy['backoff'] {
  const [first = '', longest, ...more] = value.split('..');
  if (more.length > 0) throw new ValueProblem('one time, or the first and the longest: 1s..10m');
  const initialDelay = duration(first);
  if (longest === undefined) return { initialDelay };
  const maxDelay = duration(longest);
  if (maxDelay < initialDelay) throw new ValueProblem('the first wait, then the longest: 1s..10m');
  return { initialDelay, maxDelay };
}

function decimal(value: string, least: number, most = Infinity): number {
  const number = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new ValueProblem(most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`);
}
