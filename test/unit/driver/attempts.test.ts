import { expect, it } from '@jest/globals';
import { pulling } from './workers.js';

const attempts: (number | undefined)[] = [];
const note = (job: { attempt?: number | undefined }) => void attempts.push(job.attempt);

it('a job is the attempt that its job server announces, and the first where it announces none', async () => {
  const { peer } = await pulling(note, {}, 'OPTION_RES clean-exceptions', 'OPTION_RES attempts');
  attempts.length = 0;
  for (const announced of [['OPTION_RES attempts=3'], [], ['OPTION_RES attempts=12']]) {
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
    peer.send(...announced, 'JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await peer.next()).toBe('WORK_COMPLETE H:1·');
  }
  expect(attempts).toEqual([3, 1, 12]);
});

it.each(['ERROR UNKNOWN_OPTION·what option', 'OPTION_RES clean-exceptions'])(
  'a job is some attempt where its job server does not tell: %s',
  async (answer) => {
    const { peer } = await pulling(note, {}, answer);
    attempts.length = 0;
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await peer.next()).toBe('WORK_COMPLETE H:1·');
    expect(attempts).toEqual([undefined]);
  },
);

it('another connection has to agree anew', async () => {
  const { server, peer } = await pulling(note, {}, 'OPTION_RES attempts');
  attempts.length = 0;
  peer.send('OPTION_RES attempts=7');
  peer.destroy();
  const again = await server.welcome();
  expect(await again.peer.next()).toBe('GRAB_JOB_UNIQ');
  again.peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
  expect(await again.peer.next()).toBe('WORK_COMPLETE H:1·');
  expect(attempts).toEqual([undefined]);
});
