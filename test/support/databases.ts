import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { Certificate } from './certificates.js';
import { atLast } from './cleanup.js';
import { startDaemon } from './daemon.js';
import { freePort } from './free-port.js';
import type { Network } from './networks.js';
import { startProgram } from './program.js';
import { mustSucceed } from './run.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** A database server of a test's own, with an empty database `queues` in which the user `gear` may do everything. */
export interface DatabaseServer {
  readonly port: number;
  /** Runs SQL as its administrator; with PostgreSQL in the named database instead of `queues`. */
  sql(statement: string, database?: string): Promise<string>;
  /** Ends it at once, like a crash. */
  kill(): Promise<void>;
}

/** Options of a storage for tests in which nothing hangs: on a busy machine a statement may take long. */
export const UNHURRIED = { queryTimeout: 60_000 };

/** Starts MariaDB on a free loopback port. */
export async function startMariadb(): Promise<DatabaseServer> {
  const folder = tempDir();
  const [data, socket, setUp] = [join(folder, 'data'), join(folder, 'socket'), join(folder, 'set-up.sql')];
  const user = `--user=${process.getuid?.() === 0 ? 'root' : process.env['USER']}`;
  await mustSucceed('mariadb-install-db', [
    '--no-defaults',
    user,
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  writeFileSync(
    setUp,
    "CREATE DATABASE queues;\nCREATE USER gear@'127.0.0.1' IDENTIFIED BY 'secret';\nGRANT ALL ON queues.* TO gear@'127.0.0.1';\n",
  );
  const port = await freePort();
  const place = [`--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1'];
  const { kill } = await startDaemon('mariadbd', ['--no-defaults', user, ...place, `--init-file=${setUp}`], port);
  const client = ['--no-defaults', `--socket=${socket}`, '--user=root', '--batch', '--skip-column-names', 'queues'];
  return { port, kill, sql: async (statement) => (await mustSucceed('mariadb', [...client, '-e', statement])).stdout };
}

/** Options of a PostgreSQL for tests. */
export interface PostgresOptions {
  /** Turns TLS on. */
  readonly certificate?: Certificate;
  /** The network that it runs and listens in. Default: this machine's loopback interface. */
  readonly network?: Network;
}

/** The folder of a new cluster, made once for all tests that run together: a copy costs a third of making it. */
let cluster: Promise<string> | undefined;

function emptyCluster(programs: string): Promise<string> {
  return (cluster ??= makeCluster(programs));
}

async function makeCluster(programs: string): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  atLast(() => rmSync(parent, { recursive: true, force: true }));
  chmodSync(parent, 0o777);
  const data = join(parent, 'data');
  const [initdb, ...args] = notAsRoot(join(programs, 'initdb'), '-D', data, '-A', 'trust', '-U', 'gear');
  await mustSucceed(initdb!, [...args, '-E', 'UTF8', '--no-sync'], { cwd: '/' });
  return data;
}

/** Starts PostgreSQL on a free port. */
export async function startPostgres({ certificate, network }: PostgresOptions = {}): Promise<DatabaseServer> {
  const programs = postgresPrograms()!;
  const [folder, data] = [tempDir(), join(tempDir(), 'data')];
  chmodSync(folder, 0o777);
  chmodSync(join(data, '..'), 0o777);
  mkdirSync(folder, { recursive: true });
  const [copy, ...copyArgs] = notAsRoot('cp', '-r', await emptyCluster(programs), data);
  await mustSucceed(copy!, copyArgs, { cwd: '/' });
  if (network) appendFileSync(join(data, 'pg_hba.conf'), 'host all all samenet trust\n');
  const port = await freePort();
  const host = network?.host ?? '127.0.0.1';
  const place = ['-D', data, '-p', `${port}`, '-k', folder, '-c', `listen_addresses=${host}`, '-c', 'fsync=off'];
  const tls = certificate ? tlsSettings(data, certificate) : [];
  const [first, ...args] = [...(network?.command ?? []), ...notAsRoot(join(programs, 'postgres'), ...place, ...tls)];
  const program = startProgram(first!, args);
  const sqlIn = async (database: string, statement: string): Promise<string> => {
    const client = ['-h', folder, '-p', `${port}`, '-U', 'gear', '-At', database, '-c', statement];
    return (await mustSucceed(join(programs, 'psql'), client)).stdout;
  };
  await until('PostgreSQL has started up', () => {
    program.mustRun();
    return sqlIn('postgres', 'SELECT 1').then(
      () => true,
      () => false,
    );
  });
  await sqlIn('postgres', 'CREATE DATABASE queues');
  const kill = async (): Promise<void> => void (await program.end('SIGKILL'));
  return { port, kill, sql: (statement, name = 'queues') => sqlIn(name, statement) };
}

/** A PostgreSQL for the tests of a block, each of which uses a schema of its own; it is started before they run. */
export function ownPostgres(): DatabaseServer {
  let database: DatabaseServer;
  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database.kill());
  return {
    get port() {
      return database.port;
    },
    sql: (statement, name) => database.sql(statement, name),
    kill: () => database.kill(),
  };
}

/** From now on commits wait for the standby of that name; with an empty name for none. */
export async function setStandby({ sql }: DatabaseServer, name: string): Promise<void> {
  await sql(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await sql('SELECT pg_reload_conf()');
  await until('it is set', async () => (await sql('SHOW synchronous_standby_names')) === `${name}\n`);
  // The process that makes checkpoints gets the new setting with all others, and it decides whether commits wait.
  await sql('CHECKPOINT');
}

/** The settings for TLS. PostgreSQL demands that the key file is its own, and that nobody else can read it. */
function tlsSettings(data: string, { cert, key }: Certificate): string[] {
  const [certFile, keyFile] = [join(data, 'test.pem'), join(data, 'test.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  if (process.getuid?.() === 0) execFileSync('chown', ['postgres:postgres', certFile, keyFile]);
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${certFile}`, '-c', `ssl_key_file=${keyFile}`];
}

/** The folder of PostgreSQL's programs: POSTGRES_PROGRAMS, or Debian's; undefined if it is not installed. */
export function postgresPrograms(): string | undefined {
  const told = process.env['POSTGRES_PROGRAMS'];
  if (told) return told;
  try {
    const [version] = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    return version && `/usr/lib/postgresql/${version}/bin`;
  } catch {
    return undefined;
  }
}

/** Runs a command as another user if this one is root, because PostgreSQL refuses to run as root. */
function notAsRoot(...command: string[]): string[] {
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command];
}
