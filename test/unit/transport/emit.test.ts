import 'reflect-metadata';
import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { FakeGearmanClient } from 'nestjs-gearman/testing';
import { firstValueFrom } from 'rxjs';
import { turnsUntil } from '../../support/turns.js';

it.each([
  ['a symbol', Symbol('no pattern')],
  ['an empty text', ''],
])('emit of what is no pattern fails: %s', async (_, pattern) => {
  const client = new FakeGearmanClient();
  await expect(firstValueFrom(client.emit(pattern as string, 1))).rejects.toThrow();
});

it('emit of what is no pattern is logged when nobody listens', async () => {
  const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const client = new FakeGearmanClient();
  client.emit(Symbol('no pattern') as never, 1);
  await turnsUntil('it is logged', () => logged.mock.calls.length > 0);
  expect(logged.mock.calls[0]![0]).toMatch(/^emit of Symbol\(no pattern\) failed: /);
  logged.mockRestore();
});
