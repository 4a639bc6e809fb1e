import type { CommandEntry } from './command.js';

/** All commands by name, in the order in which they are listed. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  'job-server': {
    summary: 'runs a job server, with all of gearmand’s options',
    load: async () => (await import('./job-server/command.js')).jobServer,
  },
  exporter: {
    summary: 'tells the numbers of any job server to Prometheus',
    load: async () => (await import('./metrics/exporter.js')).exporter,
  },
  status: {
    summary: 'lists functions, their jobs and workers',
    load: async () => (await import('./people/listings.js')).status,
  },
  top: {
    summary: 'watches functions on the whole screen, trouble first',
    load: async () => (await import('./top/command.js')).top,
  },
  workers: {
    summary: 'lists workers and what they can do',
    load: async () => (await import('./people/listings.js')).workers,
  },
  jobs: {
    summary: 'lists jobs',
    load: async () => (await import('./people/listings.js')).jobs,
  },
  cancel: {
    summary: 'cancels jobs that wait',
    load: async () => (await import('./people/cancel.js')).cancel,
  },
  dead: {
    summary: 'lists dead letters, replays and purges them',
    load: async () => (await import('./people/dead.js')).dead,
  },
  schedules: {
    summary: 'lists recurring jobs, puts, drops, runs and pauses them',
    load: async () => (await import('./people/schedules.js')).schedules,
  },
  result: {
    summary: 'prints the kept result of a background job',
    load: async () => (await import('./people/result.js')).result,
  },
  submit: {
    summary: 'submits a job and prints its result',
    load: async () => (await import('./people/submit.js')).submit,
  },
  work: {
    summary: 'runs a command for each job',
    load: async () => (await import('./people/work.js')).work,
  },
  web: {
    summary: 'answers HTTP for job servers elsewhere',
    load: async () => (await import('./web/web.js')).web,
  },
  'web-token': {
    summary: 'makes a token for job-server --web-tokens, web --tokens',
    load: async () => (await import('./web/web-token.js')).webToken,
  },
  completion: {
    summary: 'prints what a shell needs to complete commands and options',
    load: async () => (await import('./completion/command.js')).completionOf(COMMANDS),
  },
  import: {
    summary: 'moves the jobs of gearmand’s queue, or of an export, into ours',
    load: async () => (await import('./moving/import.js')).importCommand,
  },
  export: {
    summary: 'writes all stored jobs as lines of JSON, while the job server runs',
    load: async () => (await import('./moving/export.js')).exportCommand,
  },
  backup: {
    summary: 'copies the stored jobs, while the job server runs',
    load: async () => (await import('./moving/backup.js')).backup,
  },
};
