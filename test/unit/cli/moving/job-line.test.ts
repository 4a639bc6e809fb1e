import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lineOf, LineProblem, parseLine } from '../../../../lib/cli/moving/job-line.js';
import type { JobRecord, StoredPriority } from '../../../../lib/job-server/storage/index.js';

const byteString = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });

const anyJob: fc.Arbitrary<JobRecord> = fc.record({
  handle: byteString,
  function: byteString,
  unique: byteString,
  priority: fc.constantFrom<StoredPriority>(0, 1, 2),
  workload: fc.oneof(
    byteString,
    fc.uint8Array({ maxLength: 20 }),
    fc.string().map((text) => Buffer.from(text)),
  ),
  reducer: byteString,
  at: whole,
  attempts: whole,
  losses: whole,
  acceptedAt: fc.option(whole, { nil: undefined }),
});

const bytesOf = (workload: string | Uint8Array): Buffer =>
  typeof workload === 'string' ? Buffer.from(workload, 'latin1') : Buffer.from(workload);

const WAITING = { state: 'waiting', handle: 'H:1', function: 'f', priority: 'normal', workload: 'x' };

describe('a line of an export', () => {
  it('is read as the job it was written of, whatever its bytes', () => {
    fc.assert(
      fc.property(anyJob, fc.option(fc.record({ error: fc.string(), diedAt: whole })), whole, (job, death, now) => {
        const line = lineOf(job, now, death ?? undefined);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const read = parseLine(line);
        expect({ ...read.job, workload: bytesOf(read.job.workload) }).toEqual({
          ...job,
          workload: bytesOf(job.workload),
        });
        expect(read.death).toEqual(death ?? undefined);
      }),
    );
  });

  it('keeps a byte order mark and an unfinished character as they are', () => {
    for (const bytes of ['\xef\xbb\xbfx', '\xc3', '\xed\xa0\x80', '\0']) {
      const job = parseLine(JSON.stringify(WAITING)).job;
      expect(bytesOf(parseLine(lineOf({ ...job, workload: bytes }, 0)).job.workload)).toEqual(bytesOf(bytes));
    }
  });

  it('needs no more than handle, function, state, priority and workload', () => {
    expect(parseLine(JSON.stringify(WAITING))).toEqual({
      job: {
        handle: 'H:1',
        function: 'f',
        unique: '',
        priority: 1,
        workload: Buffer.from('x'),
        reducer: '',
        at: 0,
        attempts: 0,
        losses: 0,
      },
    });
  });

  it.each([
    [{ state: 'running' }, 'its state is "running", not waiting, delayed or dead'],
    [{ priority: 1 }, 'its priority is 1, not high, normal or low'],
    [{ handle: undefined }, 'its handle is neither a text nor {"base64": "..."}'],
    [{ workload: { hex: '00' } }, 'its workload is neither a text nor {"base64": "..."}'],
    [{ at: -1 }, 'its at is -1, not a whole number from 0'],
    [{ attempts: '1' }, 'its attempts is "1", not a whole number from 0'],
    [{ state: 'dead', diedAt: 1 }, 'its error is undefined, not a text'],
    [{ state: 'dead', error: '' }, 'its diedAt is undefined, not a whole number from 0'],
  ])('with %j is refused', (change, why) => {
    expect(() => parseLine(JSON.stringify({ ...WAITING, ...change }))).toThrow(new LineProblem(why));
  });

  it.each(['', '{"state":"wai', '1', 'null'])('that is %j is refused', (text) => {
    expect(() => parseLine(text)).toThrow(new LineProblem('it is not a JSON object; was the file cut off?'));
  });
});
