import { expect, it } from '@jest/globals';
import { startSample } from '../support/sample.js';

it('sample 05 answers every request while a job server dies and comes back', async () => {
  const sample = startSample('05-failover');
  expect(await sample.ended).toBe(0);
  const [before, during, after, runs, ...rest] = sample.output().trim().split('\n');
  expect(rest).toEqual([]);
  const [, first] = /^(\S+) is killed under way: 1000 answered, 0 failed; /.exec(during!)!;
  const others = new RegExp(`\\d+ through (?!${first})`, 'g');
  expect(during!.match(others)).toHaveLength(2);

  expect(before).toMatch(/^all 3 job servers: 1000 answered, 0 failed; (33[34] through \S+(, )?){3}$/);
  expect(after).toContain(`${first} is back: 1000 answered, 0 failed; `);
  expect(after).toMatch(new RegExp(`33[34] through ${first}`));
  expect(runs).toMatch(/^3000 requests, 30\d\d runs/);
});
