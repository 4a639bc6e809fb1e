import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { AppModule } from '../../sample/08-from-rmq/after/app.module.js';
import { CheckoutService } from '../../sample/08-from-rmq/after/checkout.service.js';
import { OrdersController } from '../../sample/08-from-rmq/after/orders.controller.js';
import { PATIENT } from '../support/patience.js';
import { startSample } from '../support/sample.js';
import { serveSample } from '../support/sample-app.js';

const FOLDER = 'sample/08-from-rmq';

/** The lines of a file, but for its imports. */
function linesOf(side: 'before' | 'after', file: string): string[] {
  const lines = readFileSync(`${FOLDER}/${side}/${file}`, 'utf8').split('\n');
  return lines.filter((line) => !line.startsWith('import '));
}

it('sample 08 answers with the price and packs the order', async () => {
  const { app, jobServer } = await serveSample({ imports: [AppModule] });
  const order = { item: 'book', pieces: 2 };
  expect(await app.get(CheckoutService).checkout(order)).toBe(3980);
  await jobServer.untilEmpty('pack', PATIENT);
  expect(app.get(OrdersController).packed).toEqual([order]);
});

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
