import { settingStatement } from './connection-settings.js';
import { isRefusal, noneOf, refused, unreachable } from './pg-errors.js';
import { loadPg, type PgClient, type PgQuery, type PgResult } from './pg-package.js';
import { addressesIn, type CheckedPgOptions } from './pg-options.js';

/** A statement that sends long values may take longer: a millisecond for so many bytes. */
const BYTES_A_MILLISECOND = 1_000;
const LONG_BYTES = 64 * 1024;

/** Statements that are kept waiting on a connection. */
export interface Hold {
  /** Resolves when what was under way is over. */
  readonly held: Promise<unknown>;
  /** Lets them go on, also where it is not held yet. */
  goOn(): void;
}

/** What a connection is for. */
export interface ConnectionRole {
  /** Whether a commit waits until it is on disk, and on a synchronous standby's. */
  readonly isSynchronous: boolean;
  /** It only reads, each statement once: a standby will do, and plans need not serve for long. */
  readonly isReading?: boolean;
  /** How long a statement may take before the connection is given up, in milliseconds. Default: as the options say. */
  readonly timeout?: number;
  /** Told of notifications on a channel. */
  readonly channel?: { readonly name: string; hear(payload: string): void };
}

/**
 * One connection to the database, made when it is needed and again when it was
 * lost. Statements go one after the other. A statement of which nobody knows
 * whether it has happened ends the connection: the caller has to find out what
 * came of it, on the next one.
 */
export class PgConnection {
  private client: PgClient | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private doubt: string | undefined;
  private isClosed = false;
  /** How often it was made. */
  connects = 0;
  /** How often nobody knew what came of a statement. */
  doubts = 0;

  constructor(
    private readonly options: CheckedPgOptions,
    private readonly role: ConnectionRole,
  ) {}

  /** Runs a statement, after those before it. Rejects with a {@link StorageError}; `isLost` says of which kind. */
  query(query: PgQuery): Promise<PgResult> {
    const result = this.last.then(() => this.run(query));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Keeps the statements to come waiting, once those before are over, until it is let go on. */
  hold(): Hold {
    let goOn: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (goOn = resolve));
    const held = this.last;
    this.last = held.then(() => over);
    return { held, goOn };
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.last;
    this.isClosed = true;
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async run(query: PgQuery): Promise<PgResult> {
    let isSent = false;
    try {
      this.client ??= await this.connect();
      this.doubt = undefined;
      isSent = true;
      const result = await this.client.query(this.timed(query));
      if (this.doubt === undefined) return result;
      throw new Error(this.doubt);
    } catch (error) {
      // A statement that PostgreSQL refused has not happened, and the connection is as good as before.
      if (isRefusal(error) && this.client) throw refused(error, this.options.url);
      if (isSent) this.doubts++;
      this.drop();
      throw unreachable(error, this.options.url);
    }
  }

  /**
   * Gives a long statement more time: over a slow network it could otherwise never be sent, and
   * would be tried for ever.
   */
  private timed(query: PgQuery): PgQuery {
    let bytes = 0;
    for (const value of query.values ?? []) if (value instanceof Uint8Array) bytes += value.length;
    if (bytes < LONG_BYTES) return query;
    const { timeout = this.options.queryTimeout } = this.role;
    return { ...query, query_timeout: timeout + Math.ceil(bytes / BYTES_A_MILLISECOND) };
  }

  private drop(): void {
    const { client } = this;
    this.client = undefined;
    client?.connection.stream.destroy();
  }

  private async connect(): Promise<PgClient> {
    if (this.isClosed) throw new Error('the storage is closed');
    const { Client } = await loadPg();
    const problems: [host: string, error: unknown][] = [];
    for (const { host, address: connectionString } of addressesIn(this.options.url)) {
      const { queryTimeout, ssl } = this.options;
      const client = new Client({
        connectionString,
        query_timeout: this.role.timeout ?? queryTimeout,
        connectionTimeoutMillis: queryTimeout,
        keepAlive: true,
        application_name: `nestjs-gearman ${this.options.name}`.slice(0, 63),
        ...(ssl !== undefined && { ssl }),
      });
      // Whoever waits for a statement is told by its rejection as well.
      client.on('error', () => this.lose(client));
      client.on('end', () => this.lose(client));
      try {
        await client.connect();
        await this.setUp(client);
        this.connects++;
        return client;
      } catch (error) {
        problems.push([host, error]);
        client.connection.stream.destroy();
      }
    }
    throw noneOf(problems);
  }

  private async setUp(client: PgClient): Promise<void> {
    const { isReading = false, isSynchronous, timeout = this.options.queryTimeout, channel } = this.role;
    const asked =
      "SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.current_setting('synchronous_commit') AS commit";
    const [told] = (await client.query({ text: asked })).rows as readonly { standby: boolean; commit: string }[];
    if (told?.standby && !isReading) throw new Error('it is a standby, which cannot be written');
    // Somebody may have switched it off for the whole database, and the promise of a job needs it. Its other values
    // say how far a commit waits, and stay.
    const waits = told?.commit === 'off' ? 'on' : undefined;
    await client.query({ text: settingStatement({ isReading, timeout, commit: isSynchronous ? waits : 'off' }) });
    if (isReading) return;
    // This warning says that the statement is committed, and that the wait for the standby was given up. Others are not
    // about that.
    client.on('notice', ({ routine, message }) => {
      if (routine === 'SyncRepWaitForLSN') this.doubt = message ?? 'the wait for the standby was given up';
    });
    if (!channel) return;
    client.on('notification', ({ payload = '' }) => channel.hear(payload));
    await client.query({ text: `LISTEN "${channel.name}"` });
  }

  private lose(client: PgClient): void {
    if (this.client === client) this.client = undefined;
  }
}
