import { describe, expect, it } from '@jest/globals';
import { JobPack, type PackedJob } from '../../../../lib/job-server/engine/job-pack.js';

const JOBS = [
  { id: 3, sequence: 7, readySince: -5, workload: '' },
  { id: 2, sequence: 8, readySince: 2 ** 31 - 1, workload: 'one' },
  {
    id: Number.MAX_SAFE_INTEGER,
    sequence: Number.MAX_SAFE_INTEGER,
    readySince: 0,
    workload: Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join(''),
  },
  { id: 9, sequence: 2 ** 53 - 1, readySince: -(2 ** 31), workload: '' },
];

describe('JobPack', () => {
  it('gives back what was put into it, and tells where an id stands', () => {
    const pack = new JobPack(JOBS);
    expect(pack.count).toBe(4);
    const at = (index: number): PackedJob => ({
      id: pack.idAt(index),
      sequence: pack.sequenceAt(index),
      readySince: pack.readySinceAt(index),
      workload: pack.workloadAt(index),
    });
    expect([0, 1, 2, 3].map(at)).toEqual(JOBS);
    expect(JOBS.map(({ id }) => pack.indexOf(id))).toEqual([0, 1, 2, 3]);
  });

  it('knows the sequence of its youngest', () => {
    expect(new JobPack(JOBS.slice(0, 2)).lastSequence).toBe(8);
  });
});
