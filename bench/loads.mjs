/**
 * The loads: how `gearload` is called and which of its figures are shown. A
 * load with `queue` first submits that many jobs, unmeasured. `ours` are
 * options for our job server only.
 */
export const LOADS = {
  fg: {
    title: 'foreground, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    figures: ['perSecond', 'cpuMicros', 'p50', 'p99'],
  },
  'fg-push': {
    title: "the same, our workers pushed to (ALL_YOURS), gearmand's woken",
    args: ['-m', 'fg', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    ours: ['-A'],
    figures: ['perSecond', 'cpuMicros', 'p50', 'p99'],
  },
  'fg-one': {
    title: 'foreground, 1 client x 1 in flight, 1 worker',
    args: ['-m', 'fg', '-c', 1, '-d', 1, '-w', 1, '-n', 20_000],
    figures: ['perSecond', 'cpuMicros', 'p50', 'p99'],
  },
  bg: {
    title: 'background submission, 8 clients x 8 in flight, nobody works',
    args: ['-m', 'bg', '-c', 8, '-d', 8, '-n', 500_000],
    figures: ['perSecond', 'cpuMicros', 'p99', 'bytesEach'],
  },
  drain: {
    title: 'taking 200,000 queued jobs, 8 workers',
    queue: 200_000,
    args: ['-m', 'drain', '-w', 8, '-n', 200_000],
    figures: ['perSecond', 'cpuMicros'],
  },
  mixed: {
    title: 'submitting in the background and working at once, 8 clients x 8 in flight, 8 workers',
    args: ['-m', 'mixed', '-c', 8, '-d', 8, '-w', 8, '-n', 200_000],
    figures: ['perSecond', 'cpuMicros', 'p99'],
  },
  echo: {
    title: 'ECHO_REQ, 8 connections x 8 in flight',
    args: ['-m', 'echo', '-c', 8, '-d', 8, '-n', 500_000],
    figures: ['perSecond', 'cpuMicros', 'p50', 'p99'],
  },
  idle: {
    title: '2,000 connections that do nothing',
    args: ['-m', 'idle', '-c', 2_000],
    figures: ['bytesEach'],
  },
};

/** How a figure is called, which of two is the better, and how it is written. */
export const FIGURES = {
  perSecond: { title: 'jobs a second', better: 'higher', digits: 0 },
  cpuMicros: { title: 'server CPU us a job', better: 'lower', digits: 1 },
  p50: { title: 'latency p50 us', better: 'lower', digits: 0 },
  p99: { title: 'latency p99 us', better: 'lower', digits: 0 },
  bytesEach: { title: 'bytes of memory each', better: 'lower', digits: 0 },
};
