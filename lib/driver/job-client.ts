import { randomUUID } from 'node:crypto';
import { type GearmanError, InvalidOptionError, oneOf, optionOr, wholeNumber } from '../ground/index.js';
import { parseServers } from '../connection/index.js';
import { PacketType, toByteString } from '../protocol/index.js';
import { ClientSession, type ClientSessionOwner, type ClientSessionSettings } from './client-session.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { ClientMetrics } from './client-metrics.js';
import { DriverEmitter } from './driver-emitter.js';
import type { DriverOptions } from './driver-options.js';
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
   * after the other. `hash`: by function and unique, so that coalescing works
   * over a fleet, and when a job server dies only its share moves; jobs
   * without a unique go round. Default `failover`.
   */
  choose?: ServerChoice;
  /** How many submissions may await their JOB_CREATED; more wait inside the client. Default 1_000. */
  maxPendingSubmissions?: number;
  /**
   * Gives every background job without a unique one of its own (a UUID). C
   * gearmand with a persistent queue needs that: it stores one job for each
   * unique of a function, so of those without any only the last survives its
   * restart. Default false.
   */
  generateUniques?: boolean;
  /**
   * Whether a job server is told that a foreground submission was given up
   * (`forget`). Where nobody else waits for its job, that is not run any more;
   * if it runs already, its handler's signal aborts, where the worker is one of
   * this package. Only a job server of ours understands it; to others such a
   * job goes on. With false it goes on everywhere. Default true.
   */
  withdraw?: boolean;
  /**
   * Where what travels beside a workload (trace ids, a request's `metadata`)
   * is sent. `auto`: to job servers that keep it apart, as ours do; workers of
   * this package get it, all others the bare workload. `true`: through every
   * other job server too, in front of the workload, which only workers of this
   * package can read then. `false`: nowhere. Default `auto`.
   */
  metadata?: 'auto' | boolean;
}

/**
 * Submits jobs to one or several job servers.
 *
 * It stays connected to all of them, so that it knows at once which are there.
 * When one is lost, what it had not finished goes to another: background
 * submissions without their JOB_CREATED, and foreground jobs unless they say
 * `resubmit: false`. Such a job may run twice. What a job server refuses because
 * it ends, or because it cannot keep background jobs now (`QUEUE_ERROR`), goes to
 * the next that is connected; it fails once all of these have refused it. While
 * none is connected, everything waits, up to `connectTimeout`.
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
  private closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: JobClientOptions = {}) {
    super();
    this.settings = {
      ...linkSettings(options),
      withdraw: options.withdraw ?? true,
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
    this.generateUniques = options.generateUniques ?? false;
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
   * called again at any time. Not needed: whatever is submitted connects.
   *
   * @throws NoServerError after `connectTimeout`; the attempts go on until {@link close}.
   * @throws ClosedError after {@link close}
   */
  async connect(): Promise<void> {
    this.open();
    await this.wait.forOneOf(this.sessions.map(({ link }) => link));
  }

  /**
   * Submits a foreground job; everything that happens is told to `observer`.
   * The workload is not copied: leave its bytes alone until the job has ended.
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

  /** What this client's submissions came to, by function, and its connections. */
  metrics(): MetricFamily[] {
    return this.measured.metrics(this, this.queue.resubmitted);
  }

  private add(submission: PendingSubmission): void {
    submission.stats = this.measured.of(submission.functionName);
    this.queue.add(submission);
  }

  /** Asks a job's own job server about it. @throws ConnectionLostError, NoServerError when that one is away */
  async status({ handle, server }: JobIdentity): Promise<JobStatus> {
    const session = await this.connected(server);
    return question(
      PacketType.STATUS_RES,
      (packet) => readStatus(packet, session.name),
      (asked) => session.ask(PacketType.GET_STATUS, [handle], asked),
    );
  }

  /**
   * Asks a background job's own job server for its state and, once it has
   * ended, its result. Only a job server of ours knows, with a storage and
   * `keepResults`.
   *
   * @throws ServerError from every other, saying so; ConnectionLostError, NoServerError when it is away
   */
  async result({ handle, server }: JobIdentity): Promise<KeptResult> {
    return askForResult(await this.connected(server), handle);
  }

  /**
   * Asks every connected job server for a job with this unique. The answer is
   * of one where it runs, else of one where it waits, else of any.
   *
   * @throws ServerError when none knows this question, as Perl's job server
   */
  async statusByUnique(unique: string): Promise<JobStatus> {
    await this.connect();
    const answers = await Promise.allSettled(
      this.sessions
        .filter(({ link }) => link.isReady)
        .map((session) =>
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

  /** Has a job server send `data` back: the first that is connected, or the one named. */
  async echo(data: Uint8Array | string, server?: string): Promise<Buffer> {
    const session = await this.connected(server);
    const bytes = typeof data === 'string' ? toByteString(data) : data;
    return question(
      PacketType.ECHO_RES,
      (packet) => packet.bytes(0),
      (asked) => session.ask(PacketType.ECHO_REQ, [bytes], asked),
    );
  }

  /** Fails what is pending with a ClosedError, sends what still waits to be sent, and disconnects. */
  close(): Promise<void> {
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
    if (this.closing) throw new ClosedError('the client');
    for (const { link } of this.sessions) link.open();
  }

  /** The named session, or the first that is connected; waits for it. */
  private async connected(server: string | undefined): Promise<ClientSession> {
    this.open();
    const sessions = server === undefined ? this.sessions : this.sessions.filter(({ name }) => name === server);
    if (sessions.length === 0) {
      const names = this.sessions.map(({ name }) => name).join(', ');
      throw new InvalidOptionError('server', `must be one of this client's job servers (${names}), not ${server}`);
    }
    await this.wait.forOneOf(sessions.map(({ link }) => link));
    return sessions.find(({ link }) => link.isReady)!;
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
