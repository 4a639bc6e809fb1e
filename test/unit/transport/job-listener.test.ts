import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobExceptionError, JobFailedError, type JobObserver } from '../../../lib/driver/index.js';
import { RESPONSE_FORMATS } from '../../../lib/transport/gearman.serializer.js';
import { JobListener } from '../../../lib/transport/job-listener.js';
import type { WorkloadFormat } from '../../../lib/transport/formats.js';

/** A call in flight: the job's side of it, and what its caller has heard. */
function listen({ format = 'json' as WorkloadFormat, timeout = 0 } = {}) {
  const heard: unknown[] = [];
  let job: JobObserver | undefined;
  let isForgotten = false;
  const listener = new JobListener(
    {
      request: { function: 'f', workload: Buffer.alloc(0) },
      workload: { function: 'f', format },
      timeout,
      sendsMetadata: true,
      leftOut: [],
    },
    RESPONSE_FORMATS,
    {
      created: ({ handle }) => heard.push(['created', handle]),
      data: (value) => heard.push(['data', value]),
      warning: (message) => heard.push(['warning', message]),
      progress: (numerator, denominator) => heard.push(['progress', numerator, denominator]),
      complete: (value) => heard.push(['complete', value]),
      fail: (error) => heard.push(['fail', error]),
    },
  );
  listener.listen({
    submit: (_request, observer) => {
      job = observer;
      return { job: undefined, forget: () => (isForgotten = true) };
    },
  });
  return { job: job as Required<JobObserver>, heard, listener, isForgotten: () => isForgotten };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const created = { handle: 'H:1', server: 'jobs' };

describe("a job's listener", () => {
  it('hears everything in order, as values', () => {
    const { job, heard } = listen();
    job.created(created);
    job.data(json([1]));
    job.status(1, 2);
    job.warning(Buffer.from('slow'));
    job.complete(json({ a: 1 }));
    expect(heard).toEqual([
      ['created', 'H:1'],
      ['data', [1]],
      ['progress', 1, 2],
      ['warning', 'slow'],
      ['complete', { a: 1 }],
    ]);
  });

  it.each<[WorkloadFormat, unknown]>([
    ['json', undefined],
    ['text', ''],
    ['raw', Buffer.alloc(0)],
  ])('takes zero bytes for the result in %s where nothing came before', (format, expected) => {
    const { job, heard } = listen({ format });
    job.complete(Buffer.alloc(0));
    expect(heard).toEqual([['complete', expected]]);
  });

  it('takes zero bytes for the end where data came before', () => {
    const { job, heard } = listen({ format: 'text' });
    job.data(Buffer.from('a'));
    job.data(Buffer.alloc(0));
    job.complete(Buffer.alloc(0));
    expect(heard).toEqual([
      ['data', 'a'],
      ['data', ''],
      ['complete', undefined],
    ]);
  });

  it('fails, and hears no more, where bytes are not in the format', () => {
    const { job, heard, isForgotten } = listen();
    job.data(Buffer.from('Hello world!'));
    job.complete(json(1));
    expect(heard).toEqual([['fail', expect.objectContaining({ code: 'GEARMAN_INVALID_WORKLOAD' })]]);
    expect(isForgotten()).toBe(true);
  });

  it("fails with the body of a handler's exception", () => {
    const { job, heard } = listen();
    job.fail(new JobExceptionError('f', 'jobs', 'H:1', json({ status: 'error', message: 'no' })));
    expect(heard).toEqual([['fail', { status: 'error', message: 'no' }]]);
  });

  it.each([
    ['an exception of another language', new JobExceptionError('f', 'jobs', 'H:1', Buffer.from('boom at line 3'))],
    ['a failure without a word', new JobFailedError('f', 'jobs', 'H:1')],
  ])('fails with the error as it is: %s', (_, error) => {
    const { job, heard } = listen();
    job.fail(error);
    expect(heard).toEqual([['fail', error]]);
  });

  it('hears nothing after it was stopped', () => {
    const { job, heard, listener, isForgotten } = listen();
    listener.stop();
    job.data(json(1));
    job.complete(json(2));
    expect(heard).toEqual([]);
    expect(isForgotten()).toBe(true);
  });
});

describe('silence', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('that lasts too long fails the call, naming function, job and job server', () => {
    const { job, heard, isForgotten } = listen({ timeout: 1_000 });
    job.created(created);
    jest.advanceTimersByTime(999);
    expect(heard).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(heard[1]).toEqual([
      'fail',
      expect.objectContaining({ code: 'GEARMAN_TIMEOUT', job: created, timeout: 1_000 }),
    ]);
    expect((heard[1] as [string, Error])[1].message).toMatch(
      /function "f" .* 1000 ms .* job H:1 of the job server jobs/,
    );
    expect(isForgotten()).toBe(true);
  });

  it('before any job server has accepted the job says that', () => {
    const { heard } = listen({ timeout: 5 });
    jest.advanceTimersByTime(5);
    expect(heard).toEqual([
      ['fail', expect.objectContaining({ message: expect.stringMatching(/no job server has accepted/) })],
    ]);
  });

  it.each<[string, (job: Required<JobObserver>) => void]>([
    ['data', (job) => job.data(json(1))],
    ['a warning', (job) => job.warning(Buffer.from('slow'))],
    ['progress', (job) => job.status(1, 2)],
  ])('is broken by %s', (_, speak) => {
    const { job, heard } = listen({ timeout: 1_000 });
    jest.advanceTimersByTime(999);
    speak(job);
    jest.advanceTimersByTime(999);
    expect(heard).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(heard[1]).toEqual(['fail', expect.objectContaining({ code: 'GEARMAN_TIMEOUT' })]);
  });

  it('after the end, or with a timeout of 0, is nothing', () => {
    const ended = listen({ timeout: 1_000 });
    ended.job.complete(json(1));
    const patient = listen({ timeout: 0 });
    jest.advanceTimersByTime(1_000_000);
    expect(ended.heard).toEqual([['complete', 1]]);
    expect(patient.heard).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
