import { describe, expect, it } from '@jest/globals';
import { defineFunction, GearmanClient } from 'nestjs-gearman';
import type { MsPattern } from '@nestjs/microservices';
import { functionNameOf } from '../../../lib/transport/function-name.js';

/** A client that shows how Nest makes a route of a pattern. */
class RoutingClient extends GearmanClient {
  route(pattern: unknown): unknown {
    return this.normalizePattern(pattern as MsPattern);
  }
}
const client = new RoutingClient();
const nameOf = (pattern: unknown, prefix = ''): string => functionNameOf(pattern, client.route(pattern), prefix);

describe('the function of a pattern', () => {
  it.each<[unknown, string]>([
    ['reverse', 'reverse'],
    ['1e3', '1e3'],
    ['{"b":1,"a":2}', '{"b":1,"a":2}'],
    ['größe', 'größe'],
    [7, '7'],
    [{ cmd: 'sum' }, '{"cmd":"sum"}'],
    [{ v: 2, cmd: 'sum', of: { z: 'z', a: 1 } }, '{"cmd":"sum","of":{"a":1,"z":"z"},"v":2}'],
    [{ say: 'a "quoted" \\ text' }, '{"say":"a \\"quoted\\" \\\\ text"}'],
    [defineFunction('reverse', { format: 'text' }), 'reverse'],
  ])('of %p is %p', (pattern, expected) => {
    expect(nameOf(pattern)).toBe(expected);
  });

  it('begins with the prefix', () => {
    expect(nameOf({ cmd: 'sum' }, 'staging.')).toBe('staging.{"cmd":"sum"}');
  });

  it.each<[unknown]>([[/^rev/], [''], [true], [undefined], [null], ['a\0b'], [Symbol('x')]])(
    'of %p is none',
    (pattern) => {
      expect(() => nameOf(pattern)).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_PATTERN' }));
    },
  );

  it('shows an empty text that is none in quotes', () => {
    expect(() => nameOf('')).toThrow("'' cannot name a Gearman function: use a text, a number or an object of those");
  });
});

describe('a contract', () => {
  it('is frozen, and refuses a format that is none', () => {
    const contract = defineFunction<string, string>('reverse', { format: 'text' });
    expect(() => Object.assign(contract.options, { format: 'json' })).toThrow(TypeError);
    expect(() => defineFunction('reverse', { format: 'xml' as 'text' })).toThrow(
      "format: must be 'json', 'text', 'raw' or 'auto', not 'xml' (of the function \"reverse\")",
    );
    expect(() => defineFunction('reverse', { formt: 'text' } as object)).toThrow(
      'formt: is no option of the contract "reverse"; did you mean format? there are format',
    );
  });
});
