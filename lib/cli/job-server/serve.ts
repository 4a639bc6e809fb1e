// Not imported from the room's entry point, because that loads Nest.
import { InvalidOptionError } from '../../ground/index.js';
import { JobServer } from '../../job-server/job-server.js';
import { validateJobServerOptions } from '../../job-server/job-server-options.js';
import { ListenError } from '../../job-server/front/index.js';
import type { MetricFamily } from '../../telemetry/metrics/index.js';
import type { Terminal } from '../command.js';
import { MetricsListener } from '../metrics/metrics-listener.js';
import type { GearmandHttpListener } from '../web/gearmand-http-listener.js';
import type { WebListener } from '../web/web-listener.js';
import { EXIT, Failure } from '../failure.js';
import { readCrontabFile } from './crontab-file.js';
import type { Daemon } from './daemon.js';
import { untilEnded } from './ending.js';
import { allowFileDescriptors } from './file-descriptors.js';
import { LogWriter } from './log-writer.js';
import { PidFile } from './pid-file.js';
import { ServiceManager } from './service-manager.js';
import { moveIn } from './move-in.js';
import type { Settings } from './settings.js';
import { becomeUser } from './user.js';

/**
 * Runs a job server until it is told to end.
 *
 * @returns the exit code.
 * @throws Failure when it cannot start.
 */
export async function serve(
  settings: Settings,
  daemon: Daemon | undefined,
  { signal }: Pick<Terminal, 'signal'>,
): Promise<number> {
  if (settings.fileDescriptors !== undefined) allowFileDescriptors(settings.fileDescriptors);
  if (settings.user !== undefined) becomeUser(settings.user);
  const pidFile = settings.pidFile === undefined ? undefined : new PidFile(settings.pidFile);
  const warnings: string[] = [];
  const log = openLog(settings, warnings);
  const { storage } = settings.jobServer;
  if (storage && settings.former) await moveIn(settings.former, storage, log, signal);
  const jobServer = await start(settings, log);
  let metrics: MetricsListener | undefined;
  let web: WebListener | undefined;
  const http: GearmandHttpListener[] = [];
  const manager = ServiceManager.fromEnvironment(process.env, (problem) => log.write('ERROR', problem));
  try {
    metrics = await tellMetrics(settings, log, jobServer, () => web?.metrics() ?? []);
    web = await answerHttp(settings, log, jobServer);
    await answerAsGearmand(settings, log, jobServer, http);
    pidFile?.write();
    for (const note of settings.notes) log.write('NOTICE', note);
    process.on('SIGHUP', () => reload(log, jobServer, web, settings));
    daemon?.ready(warnings);
    manager?.ready();
    return await untilEnded(jobServer, settings.gracePeriod, signal);
  } catch (error) {
    const failure = failureOf(error);
    const message = failure instanceof Failure ? failure.message : String((failure as Error).stack);
    log.write('FATAL', message);
    // Always as a Failure: nobody would catch another error, and the exit code would be 0.
    throw failure instanceof Failure ? failure : new Failure(message, EXIT.failed, { cause: error });
  } finally {
    manager?.close();
    metrics?.close();
    await web?.close();
    for (const listener of http) listener.close();
    await jobServer.stop().catch((error: Error) => log.write('ERROR', error.message));
    pidFile?.remove();
    log.write('INFO', 'ended');
  }
}

/** Opens the log. If the file cannot be opened the job server starts all the same, as gearmand does. */
function openLog({ logFile, logLevel, logFormat }: Settings, warnings: string[]): LogWriter {
  const log = new LogWriter(logFile, logLevel, logFormat);
  try {
    log.open();
  } catch (error) {
    const warning = `log file: ${(error as Error).message}; logging to stderr`;
    warnings.push(warning);
    log.write('ERROR', warning);
  }
  return log;
}

function reload(log: LogWriter, jobServer: JobServer, web: WebListener | undefined, { crontab }: Settings): void {
  try {
    log.open();
    log.write('NOTICE', 'SIGHUP: log file opened again, certificates read again');
  } catch (error) {
    log.write('ERROR', `SIGHUP: the log file could not be opened again: ${(error as Error).message}`);
  }
  jobServer.reloadCertificates();
  if (crontab) readAgain(crontab.path, log, jobServer);
  try {
    web?.reload();
  } catch (error) {
    log.write('ERROR', `SIGHUP: --web-tokens: the tokens stay as they were: ${(error as Error).message}`);
  }
}

/** Reads the crontab again. If it is not understood, that is logged, and the schedules from before stay. */
function readAgain(path: string, log: LogWriter, jobServer: JobServer): void {
  try {
    jobServer.schedules.declare('crontab', readCrontabFile(path));
    log.write('NOTICE', `SIGHUP: ${path} read again, ${jobServer.schedules.size} schedules`);
  } catch (error) {
    log.write('ERROR', `SIGHUP: the schedules stay as they were: ${(error as Error).message}`);
  }
}

async function start(settings: Settings, { log }: LogWriter): Promise<JobServer> {
  try {
    const jobServer = new JobServer({ ...settings.jobServer, log });
    if (settings.crontab) jobServer.schedules.declare('crontab', settings.crontab.table);
    await jobServer.start();
    return jobServer;
  } catch (error) {
    throw failureOf(error);
  }
}

async function tellMetrics(
  { metrics }: Settings,
  log: LogWriter,
  jobServer: JobServer,
  ofWeb: () => readonly MetricFamily[],
): Promise<MetricsListener | undefined> {
  if (!metrics) return undefined;
  const listener = new MetricsListener({
    metrics: async () => [...(await jobServer.metricsInTurns()), ...ofWeb()],
    problem: () => (jobServer.isEnding ? 'The job server is ending.' : jobServer.storageTrouble),
  });
  try {
    await listener.listen(metrics.port, metrics.host);
  } catch (error) {
    throw new Failure(`--metrics-port ${metrics.port}: ${(error as Error).message}`, EXIT.failed, { cause: error });
  }
  log.write('INFO', `tells metrics on ${listener.url}/metrics`, { address: listener.url });
  return listener;
}

async function answerHttp({ web }: Settings, log: LogWriter, jobServer: JobServer): Promise<WebListener | undefined> {
  if (!web) return undefined;
  // Loaded only if it is needed.
  const { WebListener } = await import('../web/web-listener.js');
  try {
    const listener = new WebListener([{ name: 'main', jobServer }], web);
    await listener.listen();
    log.write('INFO', `has its page at ${listener.url}/, answers HTTP on ${listener.url}/v1`, {
      address: listener.url,
    });
    return listener;
  } catch (error) {
    throw new Failure(`--web-port ${web.port}: ${(error as Error).message}`, EXIT.failed, { cause: error });
  }
}

/** Begins to listen on each address. Those that listen are added to `listening`, even if a later one fails. */
async function answerAsGearmand(
  { gearmandHttp }: Settings,
  log: LogWriter,
  jobServer: JobServer,
  listening: GearmandHttpListener[],
): Promise<void> {
  if (!gearmandHttp) return;
  const { GearmandHttpListener } = await import('../web/gearmand-http-listener.js');
  for (const host of gearmandHttp.hosts) {
    const listener = new GearmandHttpListener(jobServer, gearmandHttp.port, host);
    await listener.listen().catch((error: Error) => {
      throw new Failure(`--http-port ${gearmandHttp.port}: ${error.message}`, EXIT.failed, { cause: error });
    });
    listening.push(listener);
    log.write('INFO', `answers HTTP as gearmand does on ${listener.url}`, { address: listener.url });
  }
}

/** Refuses what a start would refuse of the options alone. @throws Failure */
export function checkSettings({ jobServer }: Settings): void {
  try {
    // Whether the file descriptors suffice is seen at the start, as with gearmand.
    validateJobServerOptions({ ...jobServer, maxConnections: 0 });
  } catch (error) {
    throw failureOf(error);
  }
}

/** An error that a person can do something about becomes a failure without a stack trace; any other stays as it is. */
function failureOf(error: unknown): unknown {
  if (error instanceof InvalidOptionError) {
    // Refused options of a storage get the names of the command line. Only options of a storage in PostgreSQL can be refused here.
    const name = error.option.replace(/^storage\.(?=url|schema|name|patience|leaseTime|queryTimeout)/, 'pg-');
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return new Failure(error.message.replace(error.option, option), EXIT.failed, { cause: error });
  }
  const { code, message } = error as Error & { code?: string };
  const isExpected = error instanceof ListenError || code?.startsWith('GEARMAN_');
  return isExpected ? new Failure(message, EXIT.failed, { cause: error }) : error;
}
