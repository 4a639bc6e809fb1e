import { ValueProblem, listed, toggle, valued, type OptionTable } from '../options/option.js';
import { byteCount, duration, oneOf, port, text, whole } from '../options/values.js';
import { functionPolicy } from './policy-option.js';

const durability = oneOf('always', 'interval', 'none');

/** Options for jobs that survive a restart. */
export const QUEUE = {
  'queue-type': valued(
    'Where background jobs are kept: builtin (memory, default), file (on disk) or postgres (shared by several job servers).',
    text,
    { short: 'q', argument: 'TYPE' },
  ),
  'queue-path': valued('The folder of the jobs on disk; made if it is not there.', text, { argument: 'DIR' }),
  'queue-durability': valued(
    'When a job counts as accepted: always (default): it is on disk; interval: once a second; none: the system decides.',
    durability,
    { argument: 'WHEN' },
  ),
  'lmdb-path': valued('The same as --queue-path, by its former name.', text, { argument: 'DIR' }),
  'lmdb-durability': valued('The same as --queue-durability, by its former name.', durability, { argument: 'WHEN' }),
  'pg-url': valued(
    'The database of --queue-type postgres: postgresql://user@host/database. The password may come from PGPASSWORD.',
    text,
    { argument: 'URL' },
  ),
  'pg-schema': valued('The schema its tables are in; made if it is not there. Default gearman.', text, {
    argument: 'NAME',
  }),
  'pg-name': valued(
    'What this job server is called there, unique. One that keeps its name has its jobs back at once after a crash.',
    text,
    { argument: 'NAME' },
  ),
  'pg-patience': valued('How long a submission waits for a database that cannot be reached. Default 30s.', duration, {
    argument: 'TIME',
  }),
  'pg-query-timeout': valued(
    'How long one statement may take before its connection is given up. Default 3s.',
    duration,
    {
      argument: 'TIME',
    },
  ),
  'pg-lease-time': valued(
    'After how long without a sign of life a job server’s jobs are given to the others. Default 10s.',
    duration,
    {
      argument: 'TIME',
    },
  ),
  advertise: valued(
    'Where other job servers of --queue-type postgres reach this one: host:port, or tls://host:port. They tell their callers what it runs.',
    text,
    { argument: 'ADDRESS' },
  ),
  policy: listed(
    'How failed background jobs of a function are tried again, and whether they become dead letters; see below. Once for each function.',
    functionPolicy,
    { argument: 'FUNCTION:SETTINGS' },
  ),
  'keep-results': valued('How long results of background jobs can be asked for. Default 0: not at all.', duration, {
    argument: 'TIME',
  }),
} as const satisfies OptionTable;

/** Options that limit what peers may use and do. */
export const LIMITS = {
  'max-connections': valued('Connections at once. Default 0: no limit.', whole(0), { argument: 'N' }),
  'max-packet-bytes': valued('The largest packet. Default 64M.', byteCount, { argument: 'BYTES' }),
  'max-send-buffer-bytes': valued('How much a peer may leave unread before it is dropped. Default 64M.', byteCount, {
    argument: 'BYTES',
  }),
  'max-queue': valued('Jobs in one function, or N,N,N: for high, normal, low. Default 0: no limit.', queueLimits, {
    argument: 'N',
  }),
  'max-jobs': valued('Jobs in memory over all functions. Default 16000000.', whole(1), { argument: 'N' }),
  'max-functions': valued('Functions. Default 100000.', whole(1), { argument: 'N' }),
  'max-running': valued('Jobs that one worker connection runs at once. Default 0: no limit.', whole(0), {
    argument: 'N',
  }),
  'packet-timeout': valued('How long a packet may take to arrive. Default 60s.', duration, { argument: 'TIME' }),
  'idle-timeout': valued(
    'How long a connection may be silent that registered no function and submitted no job. Default 0: for ever.',
    duration,
    { argument: 'TIME' },
  ),
  admin: valued(
    'Who may use admin words (gearadmin): allowed (default: everybody), loopback (this machine) or refused.',
    oneOf('allowed', 'loopback', 'refused'),
    { argument: 'WHO' },
  ),
  'admin-port': valued('Answer admin words on this port of 127.0.0.1, and only there.', port, { argument: 'PORT' }),
  'shutdown-command': toggle('Let the admin word `shutdown` end the job server: anybody can send it.'),
} as const satisfies OptionTable;

/** Options for recurring jobs. */
export const RECURRING = {
  crontab: valued('Recurring jobs, a line each; read again at SIGHUP. See docs/schedules.md.', text, {
    argument: 'FILE',
  }),
} as const satisfies OptionTable;

/** Options for what it tells about itself. */
export const SEEN = {
  'log-format': valued('How to log: text (default), as gearmand, or json: an object a line.', oneOf('text', 'json'), {
    argument: 'FORMAT',
  }),
  'metrics-port': valued(
    'Answer /metrics (Prometheus), /healthz and /readyz over HTTP on this port. Default: not at all.',
    port,
    { argument: 'PORT' },
  ),
  'metrics-listen': valued('The address of --metrics-port. Default 127.0.0.1.', text, { argument: 'ADDRESS' }),
  'metrics-functions': valued(
    'How many functions have metrics of their own; all others are summed. Default 200.',
    whole(0),
    {
      argument: 'N',
    },
  ),
} as const satisfies OptionTable;

/** Options for its HTTP API. */
export const WEB = {
  'web-port': valued('The dashboard, and the HTTP API, on this port. Default: not at all.', port, { argument: 'PORT' }),
  'web-listen': valued(
    'The address of --web-port; one that other machines reach needs --web-tokens. Default 127.0.0.1.',
    text,
    {
      argument: 'ADDRESS',
    },
  ),
  'web-tokens': valued(
    'Who may do what over HTTP, by lines of `nestjs-gearman web-token`; read again at SIGHUP. Default: everybody on this machine may do everything.',
    text,
    { argument: 'FILE' },
  ),
  'web-host': listed(
    'A further name that browsers may call --web-port by, as a proxy’s, where there are no tokens.',
    text,
    {
      argument: 'NAME',
    },
  ),
  'web-read-only': toggle('Let nobody change or submit anything over HTTP, whatever the token.'),
} as const satisfies OptionTable;

function queueLimits(value: string): [number, number, number] {
  const limits = value.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  const [high = NaN, normal = high, low = high] = limits;
  if (limits.some(Number.isNaN) || (limits.length !== 1 && limits.length !== 3)) {
    throw new ValueProblem('one whole number from 0, or three for high, normal, low: 1000,500,100');
  }
  return [high, normal, low];
}
