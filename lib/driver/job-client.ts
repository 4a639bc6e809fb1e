import { randomUUID } from 'node:crypto';
import {
  BOOLEAN,
  checkNames,
  type GearmanError,
  InvalidOptionError,
  oneOf,
  optionOr,
  wholeNumber,
} from '../ground/index.js';
import { parseServers } from '../connection/index.js';
import { PacketType, toByteString } from '../protocol/index.js';
import { ClientSession, type ClientSessionOwner, type ClientSessionSettings } from './client-session.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { ClientMetrics } from './client-metrics.js';
import { DriverEmitter } from './driver-emitter.js';
import { DRIVER_OPTIONS, type DriverOptions } from './driver-options.js';
import { clientIdOption, linkSettings } from './driver-settings.js';
import { ClosedError } from './errors.js';
import type { JobIdentity, JobObserver, JobRequest, JobStatus, KeptResult, Submission } from './job-request.js';
import { PendingSubmission } from './pending-submission.js';
import { question, readStatus } from './question.js';
import { askForResult } from './result-question.js';
import { ReadyWait } from './ready-wait.js';
import { chooser, type ServerChoice } from './server-choice.js';
import { SubmissionQueue } from './submission-queue.js';

/** Options of a {@link JobClient}. */
export interface JobClientOptions extends DriverOptions {
  /**
   * `failover`: the first of `servers` that is connected. `round-robin`: one
   * after the other. `hash`: by function and unique, so that jobs coalesce also
   * with several job servers, and when one of them dies only its share of jobs
   * moves; jobs without a unique go round-robin. Default `failover`.
   */
  choose?: ServerChoice;
  /** How many submissions may await their JOB_CREATED; more wait inside the client. Default 1_000. */
  maxPendingSubmissions?: number;
  /**
   * Gives every background job without a unique one of its own (a UUID). C
   * gearmand with a persistent queue needs that: it stores one job for each
   * unique of a function, and so keeps only the last of the jobs without a
   * unique over a restart. Default false.
   */
  generateUniques?: boolean;
  /**
   * Whether to tell a job server that a foreground submission was given up
   * (`forget`). If nobody else waits for the job, it is not run any more; if it
   * runs already in a worker of this package, its handler's signal aborts. Only
   * our job server understands this; with any other, and with false, the job
   * goes on. Default true.
   */
  withdraw?: boolean;
  /**
   * Where metadata beside a workload (trace ids, a request's `metadata`) is sent.
   * `auto`: to job servers that keep it apart, as ours do; they give it to
   * workers of this package, and the bare workload to all others. `true`: also
   * through every other job server, in front of the workload, which then only
   * workers of this package can read. `false`: nowhere. Default `auto`.
   */
  metadata?: 'auto' | boolean;
}

/** The name of every {@link JobClientOptions}; the compiler keeps it complete. */
export const JOB_CLIENT_OPTIONS: Record<keyof JobClientOptions, true> = {
  ...DRIVER_OPTIONS,
  choose: true,
  maxPendingSubmissions: true,
  generateUniques: true,
  withdraw: true,
  metadata: true,
};

/**
 * Submits jobs to one or several job servers.
 *
 * It stays connected to all of them, so that it knows at once which ones are
 * reachable. When one is lost, its unfinished submissions go to another:
 * background submissions without their JOB_CREATED, and foreground jobs unless
 * they say `resubmit: false`. Such a job may run twice. A submission that a job
 * server refuses because it shuts down, or because it cannot keep background jobs
 * now (`QUEUE_ERROR`), goes to the next that is connected; it fails once all of
 * these have refused it. While none is connected, every submission waits, up to
 * `connectTimeout`.
 *
 * Connections keep the process alive until {@link close}.
 */
export class JobClient extends DriverEmitter implements MetricSource {
  private readonly settings: ClientSessionSettings;
  private readonly sessions: readonly ClientSession[];
  private readonly queue: SubmissionQueue;
  private readonly wait: ReadyWait;
  private readonly measured = new ClientMetrics();
  private readonly generateUniques: boolean;
  private isClosed = false;
  private closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: JobClientOptions = {}) {
    super();
    checkNames(options, Object.keys(JOB_CLIENT_OPTIONS), 'option of a JobClient');
    this.settings = {
      ...linkSettings(options),
      withdraw: optionOr('withdraw', options.withdraw, true, BOOLEAN),
      metadata: metadataOption(options.metadata),
    };
    const clientId = clientIdOption(options.clientId);
    const owner = this.sessionOwner();
    this.sessions = parseServers(options.servers, options.tls).map(
      (endpoint) => new ClientSession(endpoint, this.settings, clientId, owner),
    );
    const choice = optionOr('choose', options.choose, 'failover', oneOf('failover', 'round-robin', 'hash'));
    const maxPendingSubmissions = optionOr(
      'maxPendingSubmissions',
      options.maxPendingSubmissions,
      1_000,
      wholeNumber(1, Infinity, 'submissions'),
    );
    this.generateUniques = optionOr('generateUniques', options.generateUniques, false, BOOLEAN);
    const { connectTimeout } = this.settings;
    this.wait = new ReadyWait(connectTimeout);
    this.queue = new SubmissionQueue(
      this.sessions,
      chooser(choice, this.sessions),
      { maxPendingSubmissions, connectTimeout },
      (submission, error) => this.fail(submission, error),
    );
  }

  /** Names of all its job servers, in the order of `servers`. */
  get servers(): string[] {
    return this.sessions.map(({ name }) => name);
  }

  /** Names of the job servers that are connected now. */
  get connectedServers(): string[] {
    return this.sessions.filter(({ link }) => link.isReady).map(({ name }) => name);
  }

  /**
   * Connects to every job server; resolves when the first has answered. May be
   * called again at any time. Not needed, because each submission connects.
   *
   * @throws NoServerError after `connectTimeout`; the attempts go on until {@link close}.
   * @throws ClosedError after {@link close}
   */
  async connect(): Promise<void> {
    this.open();
    await this.wait.forOneOf(this.sessions.map(({ link }) => link));
  }

  /**
   * Submits a foreground job; `observer` is told everything that happens.
   * The workload is not copied: do not change its bytes until the job has ended.
   *
   * @throws InvalidOptionError for a request that cannot be sent, ClosedError after {@link close}
   */
  submit(request: JobRequest, observer: JobObserver): Submission {
    this.open();
    const submission = new PendingSubmission(request, true, this.settings.maxPacketBytes, observer);
    this.add(submission);
    return submission;
  }

  /**
   * Submits a background job; resolves at its JOB_CREATED.
   *
   * @throws ServerError when every connected job server refuses it, NoServerError, InvalidOptionError, ClosedError
   */
  async submitBackground(request: JobRequest): Promise<JobIdentity> {
    this.open();
    return new Promise((resolve, reject: (error: GearmanError) => void) => {
      const observer: JobObserver = { created: resolve, fail: reject, complete: () => {} };
      const asked = this.generateUniques && !request.unique ? { ...request, unique: randomUUID() } : request;
      this.add(new PendingSubmission(asked, false, this.settings.maxPacketBytes, observer));
    });
  }

  /** How this client's submissions ended, by function, and the state of its connections. */
  metrics(): MetricFamily[] {
    return this.measured.metrics(this, this.queue.resubmitted);
  }

  private add(submission: PendingSubmission): void {
    submission.stats = this.measured.of(submission.functionName);
    this.queue.add(submission);
  }

  /** Asks the job server that has the job. @throws ConnectionLostError, or NoServerError when that job server cannot be reached */
  async status({ handle, server }: JobIdentity): Promise<JobStatus> {
    const session = await this.connected(server);
    return question(
      PacketType.STATUS_RES,
      (packet) => readStatus(packet, session.name),
      (asked) => session.ask(PacketType.GET_STATUS, [handle], asked),
    );
  }

  /**
   * Asks the job server that has a background job for its state and, once it has
   * ended, its result. Only our job server can answer, with a storage and
   * `keepResults`.
   *
   * @throws ServerError from any other, with a text that says so; ConnectionLostError, NoServerError when it cannot be reached
   */
  async result({ handle, server }: JobIdentity): Promise<KeptResult> {
    return askForResult(await this.connected(server), handle);
  }

  /**
   * Asks every connected job server for a job with this unique. Returns the
   * answer of one where it runs, else of one where it waits, else of any.
   *
   * @throws ServerError when none knows this question; Perl's job server does not
   */
  async statusByUnique(unique: string): Promise<JobStatus> {
    const sessions = await this.connectedOf(this.sessions);
    const answers = await Promise.allSettled(
      sessions.map((session) =>
        question(
          PacketType.STATUS_RES_UNIQUE,
          (packet) => readStatus(packet, session.name),
          (asked) => session.ask(PacketType.GET_STATUS_UNIQUE, [toByteString(unique)], asked),
        ),
      ),
    );
    const statuses = answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    const best =
      statuses.find((status) => status.isRunning) ?? statuses.find((status) => status.isKnown) ?? statuses[0];
    if (best) return best;
    throw (answers[0] as PromiseRejectedResult).reason;
  }

  /** Has a job server send `data` back: the named one, or the first that is connected. */
  async echo(data: Uint8Array | string, server?: string): Promise<Buffer> {
    const session = await this.connected(server);
    const bytes = typeof data === 'string' ? toByteString(data) : data;
    return question(
      PacketType.ECHO_RES,
      (packet) => packet.bytes(0),
      (asked) => session.ask(PacketType.ECHO_REQ, [bytes], asked),
    );
  }

  /** Fails everything that is pending with a ClosedError, sends what waits to be sent, and disconnects. */
  close(): Promise<void> {
    // First of all: an observer that is told of it, and submits again at once, is refused.
    this.isClosed = true;
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const reason = new ClosedError('the client');
    this.wait.close('the client');
    this.queue.close(reason);
    await Promise.all(this.sessions.map((session) => session.close(reason)));
  }

  private open(): void {
    if (this.isClosed) throw new ClosedError('the client');
    for (const { link } of this.sessions) link.open();
  }

  /** Waits for the named session, or for any of them, to be connected, and returns it. */
  private async connected(server: string | undefined): Promise<ClientSession> {
    const sessions = server === undefined ? this.sessions : this.sessions.filter(({ name }) => name === server);
    if (sessions.length === 0) {
      const names = this.sessions.map(({ name }) => name).join(', ');
      throw new InvalidOptionError('server', `must be one of this client's job servers (${names}), not ${server}`);
    }
    const [first] = await this.connectedOf(sessions);
    return first!;
  }

  /** Those of the sessions that are connected, one at least; waits for it. */
  private async connectedOf(sessions: readonly ClientSession[]): Promise<ClientSession[]> {
    for (;;) {
      this.open();
      const connected = sessions.filter(({ link }) => link.isReady);
      if (connected.length > 0) return connected;
      // A listener of `connect` may close the client before this goes on.
      await this.wait.forOneOf(sessions.map(({ link }) => link));
    }
  }

  private sessionOwner(): ClientSessionOwner {
    return {
      ready: (session) => {
        this.wait.arrived(session.link);
        this.queue.pump();
        this.tell('connect', session.name);
      },
      hasRoom: () => this.queue.pump(),
      lost: (session, unfinished, reason) => {
        this.tell('disconnect', session.name, reason);
        this.queue.addAgain(unfinished, session.name, reason);
      },
      refused: (session, submission, reason) => this.queue.addRefused(submission, session, reason),
      retrying: (session, reason, delay) => this.tell('reconnecting', session.name, reason, delay),
      report: (session, error) => this.report(error, session.name),
    };
  }

  private fail(submission: PendingSubmission, error: GearmanError): void {
    try {
      submission.fail(error);
    } catch (thrown) {
      this.report(thrown as Error, submission.job?.server ?? '');
    }
  }
}

function metadataOption(value: unknown): 'auto' | boolean {
  if (value === undefined) return 'auto';
  if (value === 'auto' || typeof value === 'boolean') return value;
  throw InvalidOptionError.notAllowed('metadata', value, "'auto', true or false");
}
