import { expect, it } from '@jest/globals';
import { DeadCounts } from '../../../../lib/job-server/storage/index.js';

it('counts dead letters by function and of all, and tells whose number changed', () => {
  const dead = new DeadCounts();
  dead.add('unwatched', 1);
  const watch = dead.touched.watch();
  dead.add('f', 2);
  dead.add('g', 1);
  dead.add('g', -1);
  expect([...watch.take()!]).toEqual(['f', 'g']);
  expect([[...dead.byFunction], dead.total, dead.of('g')]).toEqual([[['unwatched', 1], ['f', 2]], 3, 0]); // oxfmt-ignore
});

it('takes over what somebody counted, and tells only of what is other than before', () => {
  const dead = new DeadCounts();
  for (const name of ['same', 'more', 'gone']) dead.add(name, 1);
  const watch = dead.touched.watch();
  dead.become(new Map([['same', 1], ['more', 5], ['new', 2]])); // oxfmt-ignore
  expect([...watch.take()!].sort()).toEqual(['gone', 'more', 'new']);
  expect([Object.fromEntries(dead.byFunction), dead.total]).toEqual([{ same: 1, more: 5, new: 2 }, 8]);
});
