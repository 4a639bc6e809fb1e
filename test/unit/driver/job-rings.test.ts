import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobRings } from '../../../lib/driver/job-rings.js';
import { PendingSubmission } from '../../../lib/driver/pending-submission.js';
import { runs } from '../../support/runs.js';

/** What happens to a job while it runs: somebody joins, or the job server sends every client a packet. */
const story = fc.array(fc.constantFrom('join', 'packet'), { maxLength: 60 });

it('whoever joins when, everybody in a ring gets each later packet once, and one end', () => {
  fc.assert(
    fc.property(fc.array(story, { minLength: 1, maxLength: 3 }), (stories) => {
      const rings = new JobRings();
      for (const [job, steps] of stories.entries()) {
        const handle = `H:${job}`;
        const heard = new Map<PendingSubmission, number[]>();
        const expected = new Map<PendingSubmission, number[]>();
        for (const [moment, step] of ['join', ...steps].entries()) {
          if (step === 'join') {
            const request = { function: 'f', workload: Buffer.alloc(0) };
            const submission = new PendingSubmission(request, true, 1_024, undefined);
            rings.add(handle, submission);
            heard.set(submission, []);
            expected.set(submission, []);
          } else {
            // One copy for each submission, as job servers send them.
            for (const packets of expected.values()) packets.push(moment);
            for (let copy = 0; copy < expected.size; copy++) heard.get(rings.turn(handle)!)!.push(moment);
          }
        }
        expect(heard).toEqual(expected);
        const ended = new Set(Array.from({ length: expected.size }, () => rings.end(handle)));
        expect(ended).toEqual(new Set(expected.keys()));
        expect(rings.turn(handle)).toBeUndefined();
      }
      expect(rings.size).toBe(0);
    }),
    runs(60),
  );
});
