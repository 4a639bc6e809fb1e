import { DEFAULT_MAX_SEND_BUFFER_BYTES } from '../connection/index.js';
import { DEFAULT_MAX_PACKET_BYTES } from '../protocol/index.js';
import { validatePolicies, type FunctionPolicies } from './durable/index.js';
import { ENGINE_DEFAULTS, MAX_HANDLE_PREFIX_BYTES, type EngineOptions } from './engine/index.js';
import type { AccessRequest, ListenerOptions } from './front/index.js';
import { InvalidOptionError } from './invalid-option-error.js';
import type { Log } from './log.js';
import type { RelayOptions } from './relay/index.js';
import type { ScheduleTable } from './schedules/index.js';
import type { StorageOption } from './storage-option.js';

/** What a job server tells of its functions. */
export interface MetricsOptions {
  /**
   * How many functions are told by name: the first so many that have a job, for
   * as long as the job server runs. All others are summed as `_other`. A
   * function has 75 series. Default 200.
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
  /** Who may do what: false is answered with an ERROR packet. Default: everybody everything. */
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
   * How other job servers of a shared storage are reached, for what clients here
   * wait for and they run: where each is, says the storage's option `address`.
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
  /** What is told to who asks for its metrics. */
  metrics?: MetricsOptions;
  /** Where log lines go. Default: nowhere. */
  log?: Log;
  /** The level of {@link log}, as the admin word `verbose` answers it. Default `INFO`. */
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

const WHOLE_NUMBERS = [
  'jobRetries',
  'wakeupsPerJob',
  'maxConnections',
  'packetTimeout',
  'idleTimeout',
  'keepAliveDelay',
  'maxRunningPerWorker',
  'keepResults',
] as const;
const POSITIVE_NUMBERS = [
  'wakeTimeout',
  'abandonedTimeout',
  'maxJobs',
  'maxFunctions',
  'maxPacketBytes',
  'maxSendBufferBytes',
  'window',
] as const;

/**
 * Checks every option given.
 *
 * @throws InvalidOptionError for the first that cannot be meant.
 */
export function validateJobServerOptions(options: JobServerOptions): void {
  for (const option of Object.keys(options)) {
    if (!(option in JOB_SERVER_DEFAULTS) && !OPTIONAL.has(option)) {
      throw new InvalidOptionError(option, `no option of the job server (${[...KNOWN].join(', ')})`);
    }
  }
  for (const option of WHOLE_NUMBERS) check(options, option, (value) => isWhole(value, 0), 'a whole number from 0');
  for (const option of POSITIVE_NUMBERS) check(options, option, (value) => isWhole(value, 1), 'a whole number from 1');
  check(options, 'order', (value) => value === '2.0' || value === '1.1', "'2.0' or '1.1'");
  check(
    options,
    'jobHandlePrefix',
    isHandlePrefix,
    'a text of 1 to 32 bytes without white space and control characters',
  );
  check(options, 'maxQueue', isQueueLimits, 'three whole numbers from 0: high, normal, low');
  check(options, 'metrics', isMetricsOptions, '{ maxFunctions: a whole number from 0 }');
  check(options, 'schedules', (value) => typeof value === 'object' && value !== null, 'schedules by their ids');
  check(options, 'relay', isRelayOptions, '{ tls: options of tls.connect }');
  check(options, 'authorize', (value) => typeof value === 'function', 'a function');
  check(options, 'log', (value) => typeof value === 'function', 'a function');
  check(options, 'exceptions', (value) => typeof value === 'boolean', 'true or false');
  check(options, 'shutdownCommand', (value) => typeof value === 'boolean', 'true or false');
  validatePolicies(options.policies ?? {});
  requireStorage(options);
  for (const [index, listener] of (options.listeners ?? []).entries())
    validateListener(listener, `listeners[${index}]`);
}

const OPTIONAL = new Set(['jobHandlePrefix', 'authorize', 'log', 'storage']);
const KNOWN = new Set([...Object.keys(JOB_SERVER_DEFAULTS), ...OPTIONAL]);

function requireStorage({ storage, policies, keepResults }: JobServerOptions): void {
  const needs = "given together with a storage, as { type: 'file', path: '/var/lib/gearman' }";
  if (storage) return;
  if (policies && Object.keys(policies).length > 0) throw InvalidOptionError.notAllowed('policies', policies, needs);
  if (keepResults) throw InvalidOptionError.notAllowed('keepResults', keepResults, needs);
}

function validateListener(listener: ListenerOptions, name: string): void {
  const { port, path, host, admin, tls } = listener;
  if (port !== undefined && !(isWhole(port, 0) && port < 65_536)) {
    throw InvalidOptionError.notAllowed(`${name}.port`, port, 'a whole number from 0 to 65535');
  }
  if (path !== undefined && (host !== undefined || port !== undefined)) {
    throw InvalidOptionError.notAllowed(`${name}.path`, path, 'given instead of host and port, not beside them');
  }
  if (admin !== undefined && !['allowed', 'refused', 'only', 'loopback'].includes(admin)) {
    throw InvalidOptionError.notAllowed(`${name}.admin`, admin, "'allowed', 'refused', 'only' or 'loopback'");
  }
  if (tls !== undefined && !(tls.certificate && tls.key)) {
    throw InvalidOptionError.notAllowed(`${name}.tls`, tls, 'the paths of a certificate and its key');
  }
}

function check(
  options: JobServerOptions,
  option: keyof JobServerOptions,
  isAllowed: (value: unknown) => boolean,
  allowed: string,
): void {
  const value = options[option];
  if (value !== undefined && !isAllowed(value)) throw InvalidOptionError.notAllowed(option, value, allowed);
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isHandlePrefix(value: unknown): boolean {
  return (
    typeof value === 'string' && /^[^\s\p{Cc}]+$/u.test(value) && Buffer.byteLength(value) <= MAX_HANDLE_PREFIX_BYTES
  );
}

function isMetricsOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { maxFunctions, ...unknown } = value as MetricsOptions;
  return Object.keys(unknown).length === 0 && (maxFunctions === undefined || isWhole(maxFunctions, 0));
}

function isRelayOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { tls, ...unknown } = value as RelayOptions;
  return Object.keys(unknown).length === 0 && (tls === undefined || (typeof tls === 'object' && tls !== null));
}

function isQueueLimits(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && value.every((limit) => isWhole(limit, 0));
}
