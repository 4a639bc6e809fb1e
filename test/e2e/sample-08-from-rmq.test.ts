import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { startSample } from '../support/sample.js';

const FOLDER = 'sample/08-from-rmq';

/** The lines of a file, but for its imports. */
function linesOf(side: 'before' | 'after', file: string): string[] {
  const lines = readFileSync(`${FOLDER}/${side}/${file}`, 'utf8').split('\n');
  return lines.filter((line) => !line.startsWith('import '));
}

it('sample 08 runs on Gearman what ran on RabbitMQ', async () => {
  const sample = startSample('08-from-rmq');
  expect(await sample.ended).toBe(0);
  expect(sample.output()).toBe('price: 360 cents\n');
});

it('sample 08 has the same files before and after, and hardly a line of a handler or a service changes', () => {
  expect(readdirSync(`${FOLDER}/after`)).toEqual(readdirSync(`${FOLDER}/before`));
  const changed = (file: string): number => {
    const before = new Set(linesOf('before', file));
    return linesOf('after', file).filter((line) => !before.has(line)).length;
  };
  expect(changed('orders.controller.ts')).toBe(1);
  expect(changed('checkout.service.ts')).toBe(1);
});
