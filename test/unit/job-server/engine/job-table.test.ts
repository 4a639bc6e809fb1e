import { describe, expect, it } from '@jest/globals';
import { GearmanFunction, Job } from '../../../../lib/job-server/engine/model.js';
import { JobTable } from '../../../../lib/job-server/engine/job-table.js';

const FUNCTION = new GearmanFunction('f', 0, [0, 0, 0], 1_000);
const SPEC = { function: 'f', unique: '', workload: '', priority: 1, isBackground: true, at: 0 } as const;

function filled(count: number): { table: JobTable; jobs: Job[] } {
  const table = new JobTable('H:host:');
  const jobs = Array.from({ length: count }, () => new Job(table.nextId(), undefined, FUNCTION, SPEC));
  for (const job of jobs) table.add(job);
  return { table, jobs };
}

describe('JobTable', () => {
  it('finds each job by the handle its number gives', () => {
    const { table, jobs } = filled(1_000);
    expect(table.handleOf(1)).toBe('H:host:1');
    for (const [index, job] of jobs.entries()) expect(table.find(`H:host:${index + 1}`)).toBe(job);
    expect(table.size).toBe(1_000);
  });

  it.each([
    'H:host:0',
    'H:host:01',
    'H:host:',
    'H:host:1 ',
    'H:host: 1',
    'H:host:+1',
    'H:host:-1',
    'H:host:1.0',
    'H:host:1e0',
    'H:host:0x1',
    'H:host:257',
    'H:host:4294967297',
    `H:host:${'9'.repeat(400)}`,
    'H:host2:1',
    'H:host',
    '1',
    '',
  ])('knows no job %j', (handle) => {
    expect(filled(256).table.find(handle)).toBeUndefined();
  });

  it('forgets a job that is deleted, and only that', () => {
    const { table, jobs } = filled(600);
    for (const job of jobs) if (job.id % 3 > 0) table.delete(job);
    expect(table.size).toBe(200);
    expect(table.find('H:host:1')).toBeUndefined();
    expect(table.find('H:host:3')).toBe(jobs[2]);
    expect(Array.from(table, ({ id }) => id)).toEqual(jobs.map(({ id }) => id).filter((id) => id % 3 === 0));
  });

  it('gives no number twice, though all jobs are gone', () => {
    const { table, jobs } = filled(3);
    for (const job of jobs) table.delete(job);
    expect([...table]).toEqual([]);
    expect(table.nextId()).toBe(4);
  });

  it('lists a job that came back under an old number, and none that came since', () => {
    const { table, jobs } = filled(600);
    for (const job of jobs.slice(0, 300)) table.delete(job);
    table.add(jobs[4]!);
    const ids: number[] = [];
    for (const { id } of table) {
      ids.push(id);
      table.add(new Job(table.nextId(), undefined, FUNCTION, SPEC));
    }
    expect(ids.sort((one, other) => one - other)).toEqual([5, ...jobs.slice(300).map(({ id }) => id)]);
  });

  it('finds a job by the handle it brought', () => {
    const { table, jobs } = filled(1);
    const brought = new Job(0, 'H:other:1', FUNCTION, SPEC);
    table.add(brought);
    expect(table.find('H:other:1')).toBe(brought);
    expect([...table]).toEqual([brought, jobs[0]]);
    table.delete(brought);
    expect(table.find('H:other:1')).toBeUndefined();
    expect(table.size).toBe(1);
  });

  it('keeps jobs apart whose numbers differ by more than 32 bits can tell', () => {
    const { table, jobs } = filled(5);
    const later = new Job(2 ** 32 + 5, undefined, FUNCTION, SPEC);
    table.add(later);
    expect(table.find('H:host:4294967301')).toBe(later);
    expect(table.find('H:host:5')).toBe(jobs[4]);
    table.delete(later);
    expect(table.find('H:host:5')).toBe(jobs[4]);
  });
});
