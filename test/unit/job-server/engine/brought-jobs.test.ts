import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BroughtJobs } from '../../../../lib/job-server/engine/brought-jobs.js';
import { GearmanFunction, Job } from '../../../../lib/job-server/engine/model.js';

const FUNCTION = new GearmanFunction('f', 0, [0, 0, 0], 1_000);
const SPEC = { function: 'f', unique: '', workload: '', priority: 1, isBackground: true, at: 0 } as const;

function jobOf(handle: string): Job {
  return new Job(0, handle, FUNCTION, SPEC);
}

describe('BroughtJobs', () => {
  it('finds, forgets and lists what a Map would, while jobs come and go', () => {
    // Few handles, so that many are there twice, and enough jobs that the table grows and shrinks.
    const handle = fc.integer({ min: 0, max: 99 }).map((number) => `H:host:${number}`);
    const step = fc.record({ handle, isAdding: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
        const brought = new BroughtJobs();
        const model = new Map<string, Job>();
        for (const { handle, isAdding } of steps) {
          if (isAdding) {
            const job = jobOf(handle);
            brought.add(job);
            model.set(handle, job);
          } else {
            brought.delete(handle);
            model.delete(handle);
          }
        }
        for (let number = 0; number < 100; number++) {
          expect(brought.find(`H:host:${number}`)).toBe(model.get(`H:host:${number}`));
        }
        expect(new Set(brought.toArray())).toEqual(new Set(model.values()));
        expect(brought.toArray()).toHaveLength(model.size);
      }),
    );
  });

  it('finds each of very many jobs, and each that is left when most have gone', () => {
    const brought = new BroughtJobs();
    const jobs = Array.from({ length: 20_000 }, (_, index) => jobOf(`H:host:48213377902615${index}`));
    for (const job of jobs) brought.add(job);
    for (const job of jobs) expect(brought.find(job.givenHandle!)).toBe(job);
    for (const [index, { givenHandle }] of jobs.entries()) if (index % 100 > 0) brought.delete(givenHandle!);
    const left = jobs.filter((_, index) => index % 100 === 0);
    for (const job of left) expect(brought.find(job.givenHandle!)).toBe(job);
    expect(new Set(brought.toArray())).toEqual(new Set(left));
    expect(brought.find('H:host:482133779026151')).toBeUndefined();
  });
});
