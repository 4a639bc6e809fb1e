import type { JobServerOptions } from '../../job-server/index.js';
import type { ScheduleTable } from '../../job-server/schedules/index.js';
import { UsageFailure } from '../failure.js';
import type { WebSettings } from '../web/web-listener.js';
import { readCrontabFile } from './crontab-file.js';
import { portFromEnvironment } from './environment.js';
import { RESERVED_DESCRIPTORS } from './file-descriptors.js';
import { hostsFrom, listenersFrom } from './listeners.js';
import type { LogLevel } from './log-level.js';
import type { LogFormat } from './log-writer.js';
import { notesOn } from './notes.js';
import type { JobServerValues } from './options.js';
import { policiesFrom } from './policy-option.js';
import { queueFrom, type QueueChoice } from './queue-choice.js';
import { relayTls, tlsSettings } from './tls-settings.js';

/** Long enough for most jobs, and shorter than the ten seconds of `docker stop`. */
const DEFAULT_GRACE_PERIOD = 8_000;

/** gearmand's own log file when it runs in the background. */
const DAEMON_LOG_FILE = '/var/log/gearmand.log';

const OPEN_TO_ALL = 'whoever reaches this port may submit and take jobs; --listen 127.0.0.1 keeps it to this machine';

/** What the options mean: for the job server, and for its process. */
export interface Settings {
  jobServer: Omit<JobServerOptions, 'log' | 'storage'> & Pick<QueueChoice, 'storage'>;
  /** gearmand's queue, whose jobs are moved in before the job server starts. */
  former: QueueChoice['former'];
  gracePeriod: number;
  logFile: string;
  logFormat: LogFormat;
  logLevel: LogLevel;
  pidFile?: string;
  user?: string;
  fileDescriptors?: number;
  /** Where metrics are served over HTTP. */
  metrics?: { port: number; host: string };
  /** Where the HTTP API is served. */
  web?: WebSettings;
  /** Where gearmand's HTTP protocol is served. */
  gearmandHttp?: { port: number; hosts: string[] };
  /** The file of recurring jobs, and its content. */
  crontab?: { path: string; table: ScheduleTable };
  isDaemon: boolean;
  /** Texts that are logged once. */
  notes: string[];
}

/**
 * Makes settings from the options.
 *
 * @throws UsageFailure for options that contradict each other or are not possible here.
 */
export async function settingsFrom(values: JobServerValues, env: NodeJS.ProcessEnv): Promise<Settings> {
  const environment = values.port === undefined ? portFromEnvironment(env) : {};
  const notes = [...(environment.note ? [environment.note] : []), ...notesOn(values)];
  if (values.listen.length === 0) notes.push(OPEN_TO_ALL);
  const { storage, former } = queueFrom(values);
  const level = values.verbose ?? 'INFO';
  const listeners = await listenersFrom(values, values.port ?? environment.port, env);
  return {
    jobServer: { ...jobServerOptions(values), ...relayFrom(values, env), listeners, storage, verbosity: level },
    former,
    gracePeriod: values['grace-period'] ?? DEFAULT_GRACE_PERIOD,
    logFile: values['log-file'] ?? (values.daemon ? DAEMON_LOG_FILE : 'stderr'),
    logLevel: level,
    logFormat: values['log-format'] ?? 'text',
    pidFile: values['pid-file'],
    user: values.user,
    fileDescriptors: values['file-descriptors'],
    ...metricsFrom(values),
    ...webFrom(values),
    ...(await gearmandHttpFrom(values)),
    ...crontabFrom(values),
    isDaemon: values.daemon,
    notes,
  };
}

function jobServerOptions(values: JobServerValues): JobServerOptions {
  if (values['round-robin'] && values.order === '1.1') {
    throw new UsageFailure('--round-robin and --order 1.1: choose one; without --order functions are served in turn');
  }
  return {
    order: values.order,
    jobRetries: values['job-retries'],
    jobHandlePrefix: values['job-handle-prefix'],
    wakeupsPerJob: values['worker-wakeup'],
    exceptions: values.exceptions,
    keepAliveDelay: keepAliveDelay(values['keepalive-idle']),
    keepResults: values['keep-results'],
    policies: policiesFrom(values.policy),
    maxConnections: maxConnections(values),
    maxPacketBytes: values['max-packet-bytes'],
    maxSendBufferBytes: values['max-send-buffer-bytes'],
    maxQueue: values['max-queue'],
    maxJobs: values['max-jobs'],
    maxFunctions: values['max-functions'],
    maxRunningPerWorker: values['max-running'],
    packetTimeout: values['packet-timeout'],
    idleTimeout: values['idle-timeout'],
    metrics: { maxFunctions: values['metrics-functions'] },
    shutdownCommand: values['shutdown-command'],
  };
}

/** If others reach this job server with TLS at the address that `--advertise` names, it reaches them with TLS too. */
function relayFrom(values: JobServerValues, env: NodeJS.ProcessEnv): Pick<JobServerOptions, 'relay'> {
  const tls = values.advertise === undefined ? undefined : tlsSettings(values, env);
  return tls ? { relay: { tls: relayTls(tls) } } : {};
}

function crontabFrom({ crontab: path }: JobServerValues): Pick<Settings, 'crontab'> {
  return path === undefined ? {} : { crontab: { path, table: readCrontabFile(path) } };
}

function metricsFrom(values: JobServerValues): Pick<Settings, 'metrics'> {
  const { 'metrics-port': port, 'metrics-listen': host = '127.0.0.1' } = values;
  if (port !== undefined) return { metrics: { port, host } };
  if (values['metrics-listen'] === undefined) return {};
  throw new UsageFailure('--metrics-listen needs --metrics-port PORT: without it nobody can read the metrics');
}

/** The HTTP API. Without tokens nobody has to say who they are, so only this machine may ask. */
function webFrom(values: JobServerValues): Pick<Settings, 'web'> {
  const { 'web-port': port, 'web-listen': host = '127.0.0.1', 'web-tokens': tokens, 'web-host': hosts } = values;
  const readOnly = values['web-read-only'];
  if (port === undefined) {
    const stray = Object.entries({ 'web-listen': values['web-listen'], 'web-tokens': tokens, 'web-host': hosts[0] });
    const [given] = stray.find(([, value]) => value !== undefined) ?? (readOnly ? ['web-read-only'] : []);
    if (given === undefined) return {};
    throw new UsageFailure(`--${given} needs --web-port PORT: without it nothing is answered over HTTP`);
  }
  if (tokens === undefined && !/^(127\.|::1$|localhost$)/.test(host)) {
    throw new UsageFailure(
      `--web-listen ${host} needs --web-tokens FILE: others could do everything; \`nestjs-gearman web-token\` makes one`,
    );
  }
  return { web: { port, host, hosts, readOnly, ...(tokens !== undefined && { tokens }) } };
}

/** gearmand's HTTP protocol, as in gearmand on the addresses of the job server itself. */
async function gearmandHttpFrom(values: JobServerValues): Promise<Pick<Settings, 'gearmandHttp'>> {
  if (values.protocol !== 'http') return {};
  return { gearmandHttp: { port: values['http-port'] ?? 8_080, hosts: await hostsFrom(values.listen) } };
}

/** The option in milliseconds; gearmand's -1 means the default. */
function keepAliveDelay(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds < 0 ? undefined : seconds * 1_000;
}

/** The number of connections that was asked for, or as many as the file descriptors allow. */
function maxConnections(values: JobServerValues): number | undefined {
  const { 'max-connections': asked, 'file-descriptors': descriptors } = values;
  if (descriptors === undefined) return asked;
  return Math.min(asked || Infinity, descriptors - RESERVED_DESCRIPTORS);
}
