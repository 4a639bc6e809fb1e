/** Workers keep four grabs open each and get jobs without asking, which our job server and the floors can do, and gearmand cannot. */
const PUSHED = ['-A', '-g', 4];
const RATE = ['perSecond', 'cpuMicros'];

/**
 * The loads: the arguments of `gearload`, and which of its figures are shown. A
 * load with `queue` first submits that many jobs, unmeasured. `pushed` are
 * further options for all contestants except gearmand.
 */
export const LOADS = {
  fg: {
    title: 'foreground, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  'fg-wide': {
    title: 'foreground, 64 clients x 1 in flight, 64 workers',
    args: ['-m', 'fg', '-c', 64, '-d', 1, '-w', 64, '-n', 200_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  'fg-push': {
    title: "as the first, but workers pushed to (ALL_YOURS, 4 grabs each), gearmand's woken",
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    pushed: PUSHED,
    figures: [...RATE, 'p50', 'p99'],
  },
  'fg-one': {
    title: 'foreground, 1 client x 1 in flight, 1 worker',
    args: ['-m', 'fg', '-c', 1, '-d', 1, '-w', 1, '-n', 20_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  'fg-one-push': {
    title: "the same, the worker pushed to, gearmand's woken",
    args: ['-m', 'fg', '-c', 1, '-d', 1, '-w', 1, '-n', 20_000],
    pushed: ['-A'],
    figures: [...RATE, 'p50', 'p99'],
  },
  bg: {
    title: 'background submission, 8 clients x 8 in flight, nobody works',
    // What a heap grows by once, whatever is in it, is no part of a job: ours starts smaller than it then stays.
    queue: 100_000,
    args: ['-m', 'bg', '-c', 8, '-d', 8, '-n', 500_000],
    figures: [...RATE, 'p99', 'bytesEach'],
  },
  drain: {
    title: 'taking 200,000 queued jobs, 8 workers',
    queue: 200_000,
    args: ['-m', 'drain', '-w', 8, '-n', 200_000],
    figures: RATE,
  },
  'drain-deep': {
    title: 'taking 50,000 of 1,000,000 queued jobs, 8 workers',
    queue: 1_000_000,
    args: ['-m', 'drain', '-w', 8, '-n', 50_000],
    figures: RATE,
  },
  mixed: {
    title: 'submitting in the background and working at once, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'mixed', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    figures: [...RATE, 'p99'],
  },
  echo: {
    title: 'ECHO_REQ, 8 connections x 8 in flight',
    args: ['-m', 'echo', '-c', 8, '-d', 8, '-n', 500_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  functions: {
    title: 'foreground, 1,000 functions, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-f', 1_000, '-n', 200_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  large: {
    title: 'foreground, workloads of 10 kB, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-s', 10_240, '-n', 50_000],
    figures: [...RATE, 'p50', 'p99'],
  },
  idle: {
    title: '2,000 connections that do nothing',
    args: ['-m', 'idle', '-c', 2_000],
    figures: ['bytesEach'],
  },
};

/** What grows, through which steps, and the load that shows the cost. */
export const GROWTHS = {
  queue: {
    title: 'queued jobs',
    steps: [10_000, 100_000, 300_000, 1_000_000],
    load: (queue) => ({ queue, args: ['-m', 'drain', '-w', 8, '-n', Math.min(queue, 20_000)] }),
  },
  connections: {
    title: 'clients, and as many workers',
    steps: [1, 8, 64, 256, 1_024],
    load: (count) => ({ args: ['-m', 'fg', '-c', count, '-d', 1, '-w', count, '-n', count < 8 ? 20_000 : 100_000] }),
  },
  functions: {
    title: 'functions',
    steps: [1, 10, 100, 1_000, 5_000],
    load: (count) => ({ args: ['-m', 'fg', '-f', count, '-n', 100_000] }),
  },
  workload: {
    title: 'bytes of workload',
    steps: [10, 100, 1_000, 10_000, 100_000],
    load: (bytes) => ({ args: ['-m', 'fg', '-s', bytes, '-n', bytes < 10_000 ? 100_000 : 10_000] }),
  },
};

/** The title of each figure, which of two values is better, and how it is written. */
export const FIGURES = {
  perSecond: { title: 'jobs a second', better: 'higher', digits: 0 },
  cpuMicros: { title: 'server CPU us a job', better: 'lower', digits: 1 },
  p50: { title: 'latency p50 us', better: 'lower', digits: 0 },
  p99: { title: 'latency p99 us', better: 'lower', digits: 0 },
  bytesEach: { title: 'bytes of memory each', better: 'lower', digits: 0 },
};
