import { describe, expect, it } from '@jest/globals';
import { GearmanJob } from '../../../lib/transport/gearman.job.js';

/** A job that was accepted, and what its worker says. */
function accepted() {
  let job: GearmanJob | undefined;
  const controls = { status: () => Promise.reject(new Error('not asked')), forget: () => {} };
  const worker = GearmanJob.listen(
    controls,
    (made) => (job = made),
    () => {},
  );
  worker.created?.({ handle: 'H:1', server: 'jobs' });
  return { job: job!, worker };
}

function heard(job: GearmanJob): number[] {
  const numerators: number[] = [];
  job.updates$.subscribe((update) => void (update.kind === 'progress' && numerators.push(update.numerator)));
  return numerators;
}

describe('the updates of a job', () => {
  it('wait for the first who subscribes, the last 1,000 of them', () => {
    const { job, worker } = accepted();
    for (let step = 1; step <= 1_000; step++) worker.progress?.(step, 5_000);
    const early = heard(job);
    expect([early.length, early[0], early.at(-1)]).toEqual([1_000, 1, 1_000]);

    const other = accepted();
    for (let step = 1; step <= 5_000; step++) other.worker.progress?.(step, 5_000);
    const late = heard(other.job);
    expect([late.length, late[0], late.at(-1)]).toEqual([1_000, 4_001, 5_000]);
    other.worker.progress?.(5_001, 5_001);
    expect(late.at(-1)).toBe(5_001);
  });
});
