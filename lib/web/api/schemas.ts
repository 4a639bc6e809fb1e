import { HISTORY_SERIES } from '../../job-server/history/index.js';
import type { RouteAnswer, Schema } from './route.js';

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };
const flag = { type: 'boolean' };
const time = { type: 'string', format: 'date-time' };

/** Or null, if a job server elsewhere does not tell it. */
function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** An object with exactly these properties; only those named optional may be missing. */
function object(properties: Record<string, Schema>, ...optional: string[]): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

function listOf(name: string, items: Schema, more: Record<string, Schema> = {}, ...optional: string[]): Schema {
  return object({ [name]: { type: 'array', items }, ...more }, ...optional);
}

const seriesNumbers = { type: 'array', items: { type: ['number', 'null'] } };
const series = object(Object.fromEntries(HISTORY_SERIES.map((name) => [name, seriesNumbers])), ...HISTORY_SERIES);
const bytes = { anyOf: [object({ text }), object({ base64: text })] };

const serverNumbers = {
  functions: whole,
  jobs: whole,
  running: whole,
  connections: whole,
  workers: whole,
  clientsWaiting: whole,
  eventLoopDelaySeconds: { type: 'number' },
  eventStreams: whole,
};

/** What callers who may see all functions are told about a job server in addition to its numbers. */
const serverDetails = {
  startedAt: time,
  node: text,
  memoryBytes: whole,
  cpuSeconds: { type: 'number' },
  listening: { type: 'array', items: object({ address: text, certificateUntil: time }, 'certificateUntil') },
  limits: object({ maxConnections: whole, maxFunctions: whole, maxJobs: whole, maxPacketBytes: whole }),
  storage: object(
    { kind: text, bytes: whole, freeBytes: whole, backlog: whole, writes: whole, deadLetters: whole, setAside: whole },
    'bytes',
    'freeBytes',
    'deadLetters',
  ),
};

const byPriority = object({ high: whole, normal: whole, low: whole });

/** The content of jobs within JSON. */
export const WORKLOAD_FIELDS = { json: {}, text, base64: text } as const;

/** The schemas of openapi.json, by name. */
export const SCHEMAS = {
  Problem: object(
    { type: text, title: text, status: whole, detail: text, code: text, handle: text, exception: {} },
    'handle',
    'exception',
  ),
  Function: object(
    {
      name: text,
      name64: text,
      total: whole,
      running: whole,
      queued: byPriority,
      delayed: orNull(whole),
      limits: orNull(byPriority),
      workers: whole,
      isPaused: orNull(flag),
    },
    'name64',
  ),
  Job: object(
    {
      handle: text,
      function: orNull(text),
      unique: orNull(text),
      priority: { enum: ['high', 'normal', 'low', null] },
      state: { enum: ['waiting', 'delayed', 'running'] },
      isBackground: orNull(flag),
      clients: orNull(whole),
      losses: orNull(whole),
      attempts: orNull(whole),
      size: orNull(whole),
      readyAt: time,
      startedAt: time,
      worker: text,
      numerator: { type: 'number' },
      denominator: { type: 'number' },
    },
    'readyAt',
    'startedAt',
    'worker',
  ),
  EndedJob: object({ handle: text, state: { enum: ['complete', 'failed'] } }),
  Worker: object({
    id: whole,
    clientId: text,
    address: text,
    functions: { type: 'array', items: text },
    running: orNull(whole),
    jobs: orNull({ type: 'array', items: object({ handle: text, function: text, startedAt: time }) }),
    done: orNull(whole),
    connectedSince: orNull(time),
    isQuiet: orNull(flag),
  }),
  DeadLetter: object({
    handle: text,
    function: text,
    unique: orNull(text),
    attempts: whole,
    losses: whole,
    error: text,
    diedAt: time,
  }),
  FunctionHistory: object(
    { name: text, name64: text, intervalSeconds: { type: 'number' }, until: time, series },
    'name64',
  ),
  RecentJob: object(
    {
      handle: text,
      function: text,
      unique: text,
      outcome: { enum: ['completed', 'failed', 'cancelled', 'abandoned'] },
      endedAt: time,
      ranSeconds: { type: 'number' },
      worker: text,
      workload: bytes,
      error: bytes,
    },
    'ranSeconds',
    'worker',
    'workload',
    'error',
  ),
  Run: object(
    {
      startedAt: time,
      endedAt: time,
      outcome: { enum: ['completed', 'failed', 'cancelled', 'abandoned', 'lost', 'timedOut'] },
      worker: text,
      error: bytes,
    },
    'error',
  ),
  Schedule: object(
    {
      id: text,
      source: { enum: ['options', 'decorator', 'crontab', 'put'] },
      lastTick: time,
      nextTick: time,
      isPaused: flag,
      problem: text,
      options: { $ref: '#/components/schemas/ScheduleOptions' },
    },
    'lastTick',
    'nextTick',
    'problem',
  ),
  ScheduleOptions: {
    type: 'object',
    properties: {
      function: text,
      cron: text,
      every: whole,
      timeZone: text,
      workload: { anyOf: [text, object({ base64: text }), object({ json: {} })] },
      priority: { enum: ['high', 'normal', 'low'] },
      missed: { enum: ['once', 'skip', 'all'] },
      missedWithin: whole,
      overlap: { enum: ['skip', 'queue'] },
      jitter: whole,
      startAt: { type: ['string', 'number'] },
      endAt: { type: ['string', 'number'] },
      isPaused: flag,
    },
    required: ['function'],
    additionalProperties: false,
  },
  Submitted: object({ handle: text, coalesced: orNull(flag) }),
  Limits: byPriority,
} as const satisfies Record<string, Schema>;

export function ref(name: keyof typeof SCHEMAS): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Schemas that only one route uses. */
export const ANSWERS = {
  functions: listOf('functions', ref('Function')),
  jobs: listOf('jobs', ref('Job'), { scanned: whole, next: text }, 'next'),
  workers: listOf('workers', ref('Worker')),
  deadLetters: listOf('deadLetters', ref('DeadLetter'), { next: text }, 'next'),
  reasons: listOf('reasons', object({ function: text, reason: text, count: whole, lastDiedAt: time }), {
    total: whole,
  }),
  schedules: listOf('schedules', ref('Schedule')),
  scheduled: object({ handle: text }),
  server: object(
    { name: text, version: text, isEnding: orNull(flag), storageTrouble: text, ...serverNumbers, ...serverDetails },
    'storageTrouble',
    ...Object.keys({ ...serverNumbers, ...serverDetails }),
  ),
  me: object({
    name: text,
    role: { enum: ['read', 'inspect', 'submit', 'operate'] },
    isForAll: flag,
    servers: { type: 'array', items: object({ name: text, isRemote: flag }) },
  }),
  history: object(
    {
      resolution: text,
      intervalSeconds: { type: 'number' },
      until: time,
      all: series,
      functions: { type: 'array', items: ref('FunctionHistory') },
    },
    'intervalSeconds',
    'until',
    'all',
    'functions',
  ),
  endedJobs: listOf('jobs', ref('RecentJob')),
  times: listOf('runs', ref('Run'), { acceptedAt: time }, 'acceptedAt'),
  outcomes: listOf('jobs', { anyOf: [ref('Submitted'), ref('Problem')] }),
  purged: object({ purged: whole }),
  done: object({ matched: whole, done: whole, failed: whole }),
  running: object({ state: { enum: ['waiting', 'delayed', 'running'] } }),
} as const;

/** The body of a batch. */
export const BATCH = listOf(
  'jobs',
  object(
    {
      function: text,
      function64: text,
      ...WORKLOAD_FIELDS,
      unique: text,
      priority: { enum: ['high', 'normal', 'low'] },
      at: { type: ['string', 'number'] },
      delay: { type: 'number', minimum: 0 },
      reducer: text,
    },
    'function',
    'function64',
    'json',
    'text',
    'base64',
    'unique',
    'priority',
    'at',
    'delay',
    'reducer',
  ),
);

/** Chooses jobs. */
export const JOB_CHOICE = object({ q: text, limit: whole }, 'limit');

/** Chooses dead letters. */
export const DEAD_LETTER_CHOICE = object(
  { function: text, q: text, reason: text, limit: whole },
  'function',
  'q',
  'reason',
  'limit',
);

export const BYTES: RouteAnswer = { description: 'The bytes, as they are', media: 'application/octet-stream' };
export const EVENTS: RouteAnswer = { description: 'Server-sent events', media: 'text/event-stream' };
export const NOTHING: RouteAnswer = { description: 'Done' };

export function json(description: string, schema: Schema): RouteAnswer {
  return { description, schema };
}

export function problem(description: string): RouteAnswer {
  return { description, schema: ref('Problem'), media: 'application/problem+json' };
}
