import {
  BOOLEAN,
  checkNames,
  checkOption,
  FUNCTION,
  InvalidOptionError,
  oneOf,
  wholeNumber,
  type Log,
  type OptionRule,
} from '../ground/index.js';
import { DEFAULT_MAX_SEND_BUFFER_BYTES } from '../connection/index.js';
import { DEFAULT_MAX_PACKET_BYTES } from '../protocol/index.js';
import { validatePolicies, type FunctionPolicies } from './durable/index.js';
import { ENGINE_DEFAULTS, MAX_HANDLE_PREFIX_BYTES, type EngineOptions, type Packing } from './engine/index.js';
import type { AccessRequest, ListenerOptions, TlsListenerOptions } from './front/index.js';
import type { RelayOptions } from './relay/index.js';
import type { ScheduleTable } from './schedules/index.js';
import type { StorageOption } from './storage/index.js';

/** What a job server tells of its functions. */
export interface MetricsOptions {
  /**
   * How many functions have metrics under their own name: the first that have a
   * job, for as long as the job server runs. All others are summed as `_other`.
   * A function has 75 series. Default 200.
   */
  maxFunctions?: number;
}

/** The default of {@link MetricsOptions.maxFunctions}. */
export const DEFAULT_MAX_FUNCTION_NAMES = 200;

/** How a {@link JobServer} behaves. Everything has a default. */
export interface JobServerOptions extends Partial<Omit<EngineOptions, 'handlePrefix'>> {
  /**
   * Where it listens; an empty list: nowhere, only `connect()` reaches it.
   * Default: 127.0.0.1, port 4730.
   */
  listeners?: readonly ListenerOptions[];
  /** What handles begin with, instead of `H:` and the host's name. At most 32 bytes, no white space. */
  jobHandlePrefix?: string;
  /** The most connections at once; 0: no limit. Default 0. */
  maxConnections?: number;
  /** The largest packet accepted, in bytes. Default 64 MiB. */
  maxPacketBytes?: number;
  /** How much may wait for a peer that does not read before it is disconnected, in bytes. Default 64 MiB. */
  maxSendBufferBytes?: number;
  /** How long a packet may take to arrive once it has begun, in milliseconds; 0: for ever. Default 60,000. */
  packetTimeout?: number;
  /**
   * How long a connection may be silent that neither registered a function nor
   * submitted a job, in milliseconds; 0: for ever. Default 0.
   */
  idleTimeout?: number;
  /** TCP keepalive: idle time before the first probe, in milliseconds; 0: off. Default 60,000. */
  keepAliveDelay?: number;
  /** Who may do what: when it returns false (or a promise), the peer gets an ERROR packet. Default: everybody may do everything. */
  authorize?: (request: AccessRequest) => boolean;
  /** Whether every client is sent WORK_EXCEPTION, also one that did not ask for it (OPTION_REQ). Default false. */
  exceptions?: boolean;
  /** Whether the admin word `shutdown` ends the job server. Default false: anybody could say it. */
  shutdownCommand?: boolean;
  /**
   * Where background jobs survive a restart: `{ type: 'file', path }`, a folder
   * that this job server alone uses and that is made if it is missing; or a
   * storage of your own. Default: nowhere.
   */
  storage?: StorageOption;
  /**
   * How the other job servers of a shared storage are reached, when clients
   * here wait for jobs that run there. The storage's option `address` says
   * where each one is.
   */
  relay?: RelayOptions;
  /** How background jobs that fail are tried again, by function; `*` for the others. Needs a storage. Default: not at all. */
  policies?: FunctionPolicies;
  /**
   * How long the result of a finished background job can be asked for, in
   * milliseconds; 0: not at all. Needs a storage. Default 0.
   */
  keepResults?: number;
  /**
   * Recurring jobs by their ids, as `{ nightly: { cron: '0 3 * * *', function: 'report' } }`.
   * With a storage no tick fires twice, whatever dies. Default: none.
   */
  schedules?: ScheduleTable;
  /** What its metrics tell. */
  metrics?: MetricsOptions;
  /** Where log lines go. Default: nowhere. */
  log?: Log;
  /** The level of {@link log}, which the admin word `verbose` answers. Default `INFO`. */
  verbosity?: string;
}

/** The defaults of {@link JobServerOptions}. */
export const JOB_SERVER_DEFAULTS = {
  ...ENGINE_DEFAULTS,
  listeners: [{}],
  maxConnections: 0,
  maxPacketBytes: DEFAULT_MAX_PACKET_BYTES,
  maxSendBufferBytes: DEFAULT_MAX_SEND_BUFFER_BYTES,
  packetTimeout: 60_000,
  idleTimeout: 0,
  keepAliveDelay: 60_000,
  exceptions: false,
  shutdownCommand: false,
  policies: {},
  keepResults: 0,
  schedules: {},
  relay: {},
  metrics: {},
  verbosity: 'INFO',
} as const satisfies JobServerOptions;

/** Options with every default filled in. */
export type ResolvedOptions = JobServerOptions &
  Required<Omit<JobServerOptions, 'jobHandlePrefix' | 'authorize' | 'log' | 'storage'>>;

const FROM_0 = wholeNumber(0);
const FROM_1 = wholeNumber(1);

/** What each option may be, in the order in which they are checked; options of a room are checked there. */
const RULES = {
  jobRetries: FROM_0,
  wakeupsPerJob: FROM_0,
  maxConnections: FROM_0,
  packetTimeout: FROM_0,
  idleTimeout: FROM_0,
  keepAliveDelay: FROM_0,
  maxRunningPerWorker: FROM_0,
  keepResults: FROM_0,
  wakeTimeout: FROM_1,
  abandonedTimeout: FROM_1,
  maxJobs: FROM_1,
  maxFunctions: FROM_1,
  maxPacketBytes: FROM_1,
  maxSendBufferBytes: FROM_1,
  window: FROM_1,
  order: oneOf('2.0', '1.1'),
  jobHandlePrefix: {
    test: isHandlePrefix,
    allowed: `a text of 1 to ${MAX_HANDLE_PREFIX_BYTES} bytes without white space and control characters`,
  },
  maxQueue: { test: isQueueLimits, allowed: 'three whole numbers from 0: high, normal, low' },
  metrics: { test: isMetricsOptions, allowed: '{ maxFunctions: a whole number from 0 }' },
  schedules: { test: (value) => typeof value === 'object' && value !== null, allowed: 'schedules by their ids' },
  listeners: { test: Array.isArray, allowed: 'a list of addresses, as [{ port: 4730 }]' },
  packing: { test: isPacking, allowed: '{ from, size }, both whole numbers from 1' },
  relay: { test: isRelayOptions, allowed: '{ tls: options of tls.connect }' },
  authorize: FUNCTION,
  log: FUNCTION,
  exceptions: BOOLEAN,
  shutdownCommand: BOOLEAN,
} satisfies Partial<Record<keyof JobServerOptions, OptionRule>>;

const TEXT: OptionRule = { test: (value) => typeof value === 'string' && value !== '', allowed: 'a text' };

const LISTENER_RULES = {
  port: wholeNumber(0, 65_535),
  host: TEXT,
  path: TEXT,
  backlog: FROM_0,
  admin: oneOf('allowed', 'refused', 'only', 'loopback'),
  tls: {
    test: (value) => {
      const { certificate, key } = (value ?? {}) as TlsListenerOptions;
      return TEXT.test(certificate) && TEXT.test(key);
    },
    allowed: 'the paths of a certificate and its key',
  },
} satisfies Record<keyof ListenerOptions, OptionRule>;

const TLS_RULES = {
  certificate: TEXT,
  key: TEXT,
  ca: TEXT,
  clientCertificate: oneOf('none', 'optional', 'required'),
} satisfies Record<keyof TlsListenerOptions, OptionRule>;

const KNOWN = [...Object.keys(JOB_SERVER_DEFAULTS), 'jobHandlePrefix', 'authorize', 'log', 'storage'];

/**
 * Checks every option given.
 *
 * @throws InvalidOptionError for the first that is not allowed.
 */
export function validateJobServerOptions(options: JobServerOptions): void {
  checkNames(options, KNOWN, 'option of the job server');
  for (const [option, rule] of Object.entries(RULES)) checkOption(option, options[option as keyof typeof RULES], rule);
  validatePolicies(options.policies ?? {});
  requireStorage(options);
  for (const [index, listener] of (options.listeners ?? []).entries()) {
    validateListener(listener, `listeners[${index}]`);
  }
}

const NEEDS_STORAGE = "must be given together with a storage, as { type: 'file', path: '/var/lib/gearman' }";

function requireStorage({ storage, policies, keepResults }: JobServerOptions): void {
  if (storage) return;
  if (policies && Object.keys(policies).length > 0) throw new InvalidOptionError('policies', NEEDS_STORAGE);
  if (keepResults) throw new InvalidOptionError('keepResults', NEEDS_STORAGE);
}

function validateListener(listener: ListenerOptions, name: string): void {
  if (typeof listener !== 'object' || listener === null) {
    throw InvalidOptionError.notAllowed(name, listener, 'an object, as { port: 4730 }');
  }
  checkFields(listener, LISTENER_RULES, 'option of a listener', name);
  if (listener.tls) checkFields(listener.tls, TLS_RULES, 'option of TLS', `${name}.tls`);
  const { port, path, host } = listener;
  if (path !== undefined && (host !== undefined || port !== undefined)) {
    throw new InvalidOptionError(`${name}.path`, 'must be given instead of host and port, not beside them');
  }
}

/** Checks every field of an option, also that nobody misspelt its name. */
function checkFields(fields: object, rules: Readonly<Record<string, OptionRule>>, kind: string, path: string): void {
  checkNames(fields, Object.keys(rules), kind, `${path}.`);
  for (const [field, value] of Object.entries(fields)) checkOption(`${path}.${field}`, value, rules[field]!);
}

function isHandlePrefix(value: unknown): boolean {
  return (
    typeof value === 'string' && /^[^\s\p{Cc}]+$/u.test(value) && Buffer.byteLength(value) <= MAX_HANDLE_PREFIX_BYTES
  );
}

function isMetricsOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { maxFunctions, ...unknown } = value as MetricsOptions;
  return Object.keys(unknown).length === 0 && (maxFunctions === undefined || FROM_0.test(maxFunctions));
}

function isPacking(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { from, size, ...unknown } = value as Packing;
  return Object.keys(unknown).length === 0 && FROM_1.test(from) && FROM_1.test(size);
}

function isRelayOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { tls, ...unknown } = value as RelayOptions;
  return Object.keys(unknown).length === 0 && (tls === undefined || (typeof tls === 'object' && tls !== null));
}

function isQueueLimits(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && value.every((limit) => FROM_0.test(limit));
}
