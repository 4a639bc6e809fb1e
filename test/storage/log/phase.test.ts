import { expect, it } from '@jest/globals';
import { Phase } from '../../../lib/job-server/storage/log/phase.js';

const { waiting: first } = Phase.none;

const nameOf = ({ fate, written }: Phase): string => `${fate}, ${written}`;

it('a job that comes, is leased and ends goes through the machine as it is drawn', () => {
  const story = [
    first,
    first.marked,
    first.marked.batched,
    first.marked.batched.leased,
    first.marked.batched.leased.durable,
    first.marked.batched.leased.durable.gone.marked,
    first.marked.batched.leased.durable.gone.marked.batched.durable,
  ];
  expect(story.map(nameOf)).toEqual([
    'waiting, saved',
    'waiting, due',
    'waiting, underway',
    'leased, underway',
    'leased, saved',
    'gone, due',
    'gone, saved',
  ]);
});

it('what changes while it is written is written again, whatever became of the write', () => {
  const again = first.leased.marked.batched.dead.marked;
  expect([again, again.marked, again.durable, again.failed, again.durable.batched.durable].map(nameOf)).toEqual([
    'dead, again',
    'dead, again',
    'dead, due',
    'dead, due',
    'dead, saved',
  ]);
});

it('what could not be written is due, or dropped', () => {
  const failed = first.hidden.marked.batched.failed;
  expect([failed, failed.waiting, failed.dropped].map(nameOf)).toEqual([
    'hidden, due',
    'waiting, due',
    'hidden, saved',
  ]);
});

it('memory need not have what is saved, unless it is leased', () => {
  const { leased, dead, hidden } = first;
  expect([first, leased, dead, first.marked, hidden.marked].map(({ isIdle }) => isIdle)).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
});
