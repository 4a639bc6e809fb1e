import { checkNames, checkOption, InvalidOptionError, wholeNumber } from '../ground/index.js';
import { parseServers, type Endpoint, type ServerAddress, type TlsOptions } from '../connection/index.js';
import { asciiJson, fromByteString, showWord, toByteString } from '../protocol/index.js';
import {
  functionOverview,
  readScheduleStatus,
  nameFrom,
  readDeadJob,
  readDeadJobDetails,
  readFunctionActivity,
  readFunctionJob,
  readFunctionOverview,
  readFunctionPriorities,
  readFunctionStatus,
  readShownJob,
  readWorkerStatus,
  type DeadJob,
  type DeadJobDetails,
  type FunctionActivity,
  type FunctionJob,
  type FunctionOverview,
  type FunctionPriorities,
  type FunctionStatus,
  type ScheduleStatus,
  type ShownJob,
  type WorkerStatus,
} from './admin-answers.js';
import { AdminConnection, type AnswerShape } from './admin-connection.js';
import { durationOption } from './driver-settings.js';
import { ClosedError, ServerError } from './errors.js';

/** Options of an {@link AdminClient}. */
export interface AdminClientOptions {
  /** The job server. Default `127.0.0.1:4730`. */
  server?: ServerAddress;
  /** TLS for an address that does not say it itself. Default false. */
  tls?: boolean | TlsOptions;
  /** How long to wait for the connection, in milliseconds. Default 5_000. */
  connectTimeout?: number;
  /** How long to wait for an answer, in milliseconds. Default 30_000: a long list takes its time. */
  timeout?: number;
}

const ADMIN_CLIENT_OPTIONS: Record<keyof AdminClientOptions, true> = {
  server: true,
  tls: true,
  connectTimeout: true,
  timeout: true,
};

/** How many jobs of a function may be there: one number that holds for each priority, or three numbers; 0 is no limit. */
export type QueueLimit = number | { high: number; normal: number; low: number };

/**
 * Asks one job server about itself, in Gearman's admin protocol.
 *
 * Connects when first asked, and again after the connection was lost. Every
 * method throws ConnectError or ConnectionLostError when the job server cannot
 * be reached, TimeoutError when it does not answer, and ServerError, with the job
 * server's own code, when it refuses: not every job server knows every command.
 */
export class AdminClient {
  private readonly endpoint: Endpoint;
  private readonly connectTimeout: number;
  private readonly timeout: number;
  private connection: Promise<AdminConnection> | undefined;
  private isClosed = false;

  /** @throws InvalidOptionError */
  constructor(options: AdminClientOptions = {}) {
    checkNames(options, Object.keys(ADMIN_CLIENT_OPTIONS), 'option of an AdminClient');
    const endpoints = parseServers(options.server, options.tls);
    if (endpoints.length > 1)
      throw new InvalidOptionError('server', 'an AdminClient asks one job server; make one for each');
    this.endpoint = endpoints[0]!;
    this.connectTimeout = durationOption('connectTimeout', options.connectTimeout, 5_000, 1);
    this.timeout = durationOption('timeout', options.timeout, 30_000, 1);
  }

  /** Every function: its jobs and workers (`status`). */
  async status(): Promise<FunctionStatus[]> {
    return (await this.ask('status', 'list')).map(readFunctionStatus);
  }

  /** Every function: its waiting jobs by priority (`prioritystatus`). */
  async priorityStatus(): Promise<FunctionPriorities[]> {
    return (await this.ask('prioritystatus', 'list')).map(readFunctionPriorities);
  }

  /**
   * Every function: its jobs, with the delayed ones counted apart, its workers,
   * and whether it is paused (`show functions`). From a job server that does not
   * know this command, what `status` and `prioritystatus` tell.
   */
  async functions(): Promise<FunctionOverview[]> {
    try {
      return (await this.ask('show functions', 'list')).map(readFunctionOverview);
    } catch (error) {
      if (!isForeign(error)) throw error;
    }
    const [functions, priorities] = [await this.status(), await this.priorityStatus()];
    const byName = new Map(priorities.map((row) => [row.function, row]));
    return functions.map((row) => functionOverview(row, byName.get(row.function)));
  }

  /**
   * Every function: its oldest waiting and its longest running job, and how many
   * jobs came and ended (`show activity`). Only our job server tells this;
   * undefined from any other.
   */
  async activity(): Promise<FunctionActivity[] | undefined> {
    return unlessForeign(this.ask('show activity', 'list').then((lines) => lines.map(readFunctionActivity)));
  }

  /**
   * The first 100 jobs of a function (`show jobs of`): running ones first, the
   * longest running at the top, then waiting ones in the order in which workers
   * get them. Only our job server tells this; undefined from any other.
   */
  async jobsOf(functionName: string): Promise<FunctionJob[] | undefined> {
    const name = await this.name('function', functionName);
    return unlessForeign(this.ask(`show jobs of ${name}`, 'list').then((lines) => lines.map(readFunctionJob)));
  }

  /** Every connection (`workers`). */
  async workers(): Promise<WorkerStatus[]> {
    return (await this.ask('workers', 'list')).map(readWorkerStatus);
  }

  /** Every job (`show jobs`). */
  async jobs(): Promise<ShownJob[]> {
    return (await this.ask('show jobs', 'list')).map(readShownJob);
  }

  /** The unique of every job that has one (`show unique jobs`). */
  async uniqueJobs(): Promise<string[]> {
    // A job without a unique is an empty line.
    return (await this.ask('show unique jobs', 'list')).filter((unique) => unique !== '').map(nameFrom);
  }

  /** Cancels a waiting job (`cancel job`); false when the job server does not know the job. */
  async cancelJob(handle: string): Promise<boolean> {
    return this.unlessUnknown(this.ask(`cancel job ${await this.name('handle', handle)}`, 'line'));
  }

  /**
   * The dead letters, longest dead first (`show dead jobs`): background jobs
   * that are out of retries. Only a job server of ours with a storage has any.
   *
   * @throws ServerError from any other, with a text that says so
   */
  async deadJobs(): Promise<DeadJob[]> {
    return (await this.askOurs('show dead jobs', 'list')).map(readDeadJob);
  }

  /**
   * One dead letter with the beginning of its workload (`show dead job`);
   * undefined when there is none.
   *
   * @throws ServerError from a job server that has no dead letters
   */
  async deadJob(handle: string): Promise<DeadJobDetails | undefined> {
    try {
      const [line = ''] = await this.askOurs(`show dead job ${await this.name('handle', handle)}`, 'line');
      return readDeadJobDetails(line);
    } catch (error) {
      if (isUnknownJob(error)) return undefined;
      throw error;
    }
  }

  /**
   * Lets a dead letter wait again, with all its retries (`replay job`); false
   * when there is none, or when another job has its unique now.
   *
   * @throws ServerError from a job server that has no dead letters
   */
  async replayJob(handle: string): Promise<boolean> {
    return this.unlessUnknown(this.askOurs(`replay job ${await this.name('handle', handle)}`, 'line'));
  }

  /** Deletes a dead letter (`purge job`); false when there is none. @throws ServerError from a job server that has no dead letters */
  async purgeJob(handle: string): Promise<boolean> {
    return this.unlessUnknown(this.askOurs(`purge job ${await this.name('handle', handle)}`, 'line'));
  }

  /** All recurring jobs, sorted by id (`show schedules`). @throws ServerError from a job server that has no schedules */
  async schedules(): Promise<ScheduleStatus[]> {
    return (await this.askOurs('show schedules', 'list', NO_SCHEDULES)).map(readScheduleStatus);
  }

  /**
   * Puts a recurring job (`put schedule`); it replaces the one that was put under
   * this id before, and stays until it is dropped.
   *
   * @param schedule as `ScheduleOptions` of `nestjs-gearman/job-server`; its JSON has about 8,000 bytes at most.
   * @throws ServerError with what is wrong with it, or from a job server that has no schedules
   */
  async putSchedule(id: string, schedule: object): Promise<void> {
    const command = `put schedule ${await this.name('id', id)} ${asciiJson(schedule, bytesAsBase64)}`;
    if (command.length > MAX_COMMAND_BYTES) {
      const cure = 'a large workload belongs where its worker can fetch it';
      throw new InvalidOptionError('schedule', `must have at most ${MAX_COMMAND_BYTES} bytes as JSON: ${cure}`);
    }
    await this.askOurs(command, 'line', NO_SCHEDULES);
  }

  /** Drops a recurring job that was put (`drop schedule`); false when there is none. @throws ServerError for one that is declared elsewhere */
  async dropSchedule(id: string): Promise<boolean> {
    return (await this.ofSchedule('drop', id)) !== undefined;
  }

  /** Submits the job of a schedule now, in addition to its ticks (`run schedule`), and returns the job's handle; undefined when there is no such schedule. */
  async runSchedule(id: string): Promise<string | undefined> {
    const line = await this.ofSchedule('run', id);
    return line === undefined ? undefined : nameFrom(line.replace(/^OK /, ''));
  }

  /** Pauses a schedule: no tick of it fires until it is resumed (`pause schedule`); false when there is none. */
  async pauseSchedule(id: string): Promise<boolean> {
    return (await this.ofSchedule('pause', id)) !== undefined;
  }

  /** Resumes a paused schedule (`resume schedule`); ticks that passed while it was paused do not count as missed. False when there is none. */
  async resumeSchedule(id: string): Promise<boolean> {
    return (await this.ofSchedule('resume', id)) !== undefined;
  }

  /** Limits how many jobs of a function may be there (`maxqueue`); further submissions are refused. */
  async limitQueue(functionName: string, limit: QueueLimit): Promise<void> {
    const numbers = typeof limit === 'number' ? [limit] : [limit.high, limit.normal, limit.low];
    for (const number of numbers) checkOption('limit', number, wholeNumber(0, Infinity, 'jobs'));
    await this.ask(`maxqueue ${await this.name('function', functionName)} ${numbers.join(' ')}`, 'line');
  }

  /** Makes a function known before anybody uses it (`create function`). */
  async createFunction(functionName: string): Promise<void> {
    await this.ask(`create function ${await this.name('function', functionName)}`, 'line');
  }

  /** Removes a function that has no workers and no jobs (`drop function`). @throws ServerError when it has some, or is unknown */
  async dropFunction(functionName: string): Promise<void> {
    await this.ask(`drop function ${await this.name('function', functionName)}`, 'line');
  }

  /**
   * Pauses a function (`pause function`): no worker is given one of its jobs
   * until {@link resumeFunction}. Running jobs go on, and submitted jobs wait.
   * With a storage the function stays paused over a restart.
   *
   * @throws ServerError from a job server that is not ours
   */
  async pauseFunction(functionName: string): Promise<void> {
    await this.askOurs(`pause function ${await this.name('function', functionName)}`, 'line', CANNOT_PAUSE);
  }

  /** Resumes a paused function (`resume function`): workers get its jobs again. @throws ServerError from a job server that is not ours */
  async resumeFunction(functionName: string): Promise<void> {
    await this.askOurs(`resume function ${await this.name('function', functionName)}`, 'line', CANNOT_PAUSE);
  }

  /** The job server's version. */
  async version(): Promise<string> {
    return this.word('version');
  }

  /** The process id of the job server (`getpid`). */
  async processId(): Promise<number> {
    return Number(await this.word('getpid'));
  }

  /** How much the job server logs (`verbose`): `ERROR`, `INFO`, ... */
  async logLevel(): Promise<string> {
    return this.word('verbose');
  }

  /** Ends the job server (`shutdown`); with `graceful`, once its jobs are done. The job server must allow it. */
  async shutdown({ graceful = false }: { graceful?: boolean } = {}): Promise<void> {
    await this.ask(graceful ? 'shutdown graceful' : 'shutdown', 'line', true);
  }

  /** Disconnects; commands that wait for an answer fail. */
  async close(): Promise<void> {
    this.isClosed = true;
    const connection = await this.connection?.catch(() => undefined);
    connection?.end(new ClosedError('the admin client'));
  }

  private async ask(command: string, shape: AnswerShape, endIsAnswer = false): Promise<readonly string[]> {
    if (this.isClosed) throw new ClosedError('the admin client');
    this.connection ??= this.connect();
    return (await this.connection).ask(command, shape, this.timeout, endIsAnswer);
  }

  private async word(command: string): Promise<string> {
    const [line = ''] = await this.ask(command, 'line');
    // Perl's job server leaves out the OK.
    return fromByteString(line.replace(/^OK /, ''));
  }

  /**
   * A name as a word of a command. A name with blanks or control characters, or
   * an empty one, is escaped, which only our job server can read.
   */
  private async name(option: string, text: string): Promise<string> {
    if (typeof text !== 'string') throw InvalidOptionError.notAllowed(option, text, 'a text');
    const bytes = toByteString(text);
    const word = showWord(bytes);
    if (word === bytes || (await this.readsEscapes())) return word;
    const allowed = `a text without blanks and control characters for ${this.endpoint.name}, whose commands are words`;
    throw InvalidOptionError.notAllowed(option, text, allowed);
  }

  /** Whether this is a job server of ours: any other answers that it does not know the command. */
  private async readsEscapes(): Promise<boolean> {
    try {
      await this.ask('replay job', 'line');
      return true;
    } catch (error) {
      if (error instanceof ServerError) return !FOREIGN.test(error.serverCode);
      throw error;
    }
  }

  /** The answer to a command about a schedule; undefined when there is no such schedule. */
  private async ofSchedule(word: string, id: string): Promise<string | undefined> {
    try {
      const [line = ''] = await this.askOurs(`${word} schedule ${await this.name('id', id)}`, 'line', NO_SCHEDULES);
      return line;
    } catch (error) {
      if (error instanceof ServerError && error.serverCode === 'UNKNOWN_SCHEDULE') return undefined;
      throw error;
    }
  }

  /** Asks something that only our job server knows; `problem` says so if another one answers. */
  private async askOurs(command: string, shape: AnswerShape, problem = NO_DEAD_LETTERS): Promise<readonly string[]> {
    try {
      return await this.ask(command, shape);
    } catch (error) {
      if (!isForeign(error)) throw error;
      throw new ServerError(error.server, error.serverCode, problem);
    }
  }

  /** True, or false if the job server answers that it does not know the job. */
  private async unlessUnknown(answer: Promise<unknown>): Promise<boolean> {
    try {
      await answer;
      return true;
    } catch (error) {
      if (isUnknownJob(error)) return false;
      throw error;
    }
  }

  private async connect(): Promise<AdminConnection> {
    const forget = () => (this.connection = undefined);
    try {
      return await AdminConnection.open(this.endpoint, this.connectTimeout, forget);
    } catch (error) {
      forget();
      throw error;
    }
  }
}

const NO_SCHEDULES = 'it has no schedules: only a nestjs-gearman job server has';

/** The longest command that our job server reads, in bytes, without the end of the line. */
const MAX_COMMAND_BYTES = 8_190;

/** A workload of bytes as base64, because JSON has no bytes. JSON.stringify has already made an object of a Buffer here. */
function bytesAsBase64(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return key === 'workload' && type === 'Buffer' && Array.isArray(data)
    ? { base64: Buffer.from(data as number[]).toString('base64') }
    : value;
}

/** The codes with which gearmand and Perl's job server answer a command that they do not know. */
const FOREIGN = /^unknown_(command|show_arguments)$/i;

const NO_DEAD_LETTERS = 'it has no dead letters: only a nestjs-gearman job server has';
const CANNOT_PAUSE = 'it cannot hold a function back: only a nestjs-gearman job server can';

/** The answer; undefined from a job server that does not know the command. */
async function unlessForeign<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isForeign(error)) return undefined;
    throw error;
  }
}

function isUnknownJob(error: unknown): boolean {
  return error instanceof ServerError && error.serverCode === 'UNKNOWN_JOB';
}

function isForeign(error: unknown): error is ServerError {
  return error instanceof ServerError && FOREIGN.test(error.serverCode);
}
