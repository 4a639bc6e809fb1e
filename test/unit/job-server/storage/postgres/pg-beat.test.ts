import { afterEach, expect, it, jest } from '@jest/globals';
import { PgBeat } from '../../../../../lib/job-server/storage/postgres/pg-beat.js';
import type { PgParts } from '../../../../../lib/job-server/storage/postgres/pg-parts.js';
import { until } from '../../../../support/until.js';

afterEach(() => void jest.restoreAllMocks());

it('says that it is fenced, also where the timer for it comes before its time', async () => {
  // The clock of durations goes slower than the timers, which so come early, as those of Node may by less than a millisecond.
  const real = performance.now.bind(performance);
  const start = real();
  jest.spyOn(performance, 'now').mockImplementation(() => start + (real() - start) / 2);
  const fences: boolean[] = [];
  const joined = {
    query: ({ name }: { name: string }) => Promise.resolve({ rows: name === 'join' ? [{ id: 1 }] : [] }),
  };
  const silent = {
    query: ({ name }: { name: string }) => (name === 'beat' ? new Promise(() => undefined) : joined.query({ name })),
  };
  const parts = {
    options: { name: 'one', address: '', leaseTime: 500 },
    session: { id: 0, all: [] },
    statements: {},
    connections: { adder: joined, hearer: silent },
    listener: { fenced: (isFenced: boolean) => fences.push(isFenced) },
  } as unknown as PgParts;
  const beat = new PgBeat(parts, { lost: () => undefined, gaveBack: () => undefined });
  await beat.begin();
  expect(beat.isFenced).toBe(false);
  await until('it is told', () => fences.length > 0);
  expect([beat.isFenced, ...fences]).toEqual([true, true]);
  void beat.close();
});
