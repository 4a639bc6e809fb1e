import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { Certificate } from './certificates.js';
import { startDaemon } from './daemon.js';
import { freePort } from './free-port.js';
import type { Network } from './networks.js';
import { startProgram } from './program.js';
import { mustSucceed } from './run.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** A database server of a test's own, with an empty database `queues` that `gear` may do all with. */
export interface DatabaseServer {
  readonly port: number;
  /** Runs SQL as its administrator, in another database than `queues` if PostgreSQL is told so. */
  sql(statement: string, database?: string): Promise<string>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** What a storage is given where nothing is to hang: a busy machine may take long for a statement. */
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

/** How a PostgreSQL is started. */
export interface PostgresOptions {
  /** With it, TLS is spoken. */
  readonly certificate?: Certificate;
  /** Where it listens and runs. Default: this machine's loopback interface. */
  readonly network?: Network;
}

/** Starts PostgreSQL on a free port. */
export async function startPostgres({ certificate, network }: PostgresOptions = {}): Promise<DatabaseServer> {
  const programs = postgresPrograms()!;
  const [folder, data] = [tempDir(), join(tempDir(), 'data')];
  chmodSync(folder, 0o777);
  chmodSync(join(data, '..'), 0o777);
  mkdirSync(folder, { recursive: true });
  const [initdb, ...initArgs] = notAsRoot(join(programs, 'initdb'), '-D', data, '-A', 'trust', '-U', 'gear');
  await mustSucceed(initdb!, [...initArgs, '-E', 'UTF8', '--no-sync'], { cwd: '/' });
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

/** A PostgreSQL for the tests of a block, who each have a schema of their own in it; it is there once they run. */
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

/** From now on commits wait for a standby of that name; for none with an empty one. */
export async function setStandby({ sql }: DatabaseServer, name: string): Promise<void> {
  await sql(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await sql('SELECT pg_reload_conf()');
  await until('it is set', async () => (await sql('SHOW synchronous_standby_names')) === `${name}\n`);
  // Who makes checkpoints is told with all others, and decides whether anybody waits.
  await sql('CHECKPOINT');
}

/** The key has to be its own, and nobody else's to read. */
function tlsSettings(data: string, { cert, key }: Certificate): string[] {
  const [certFile, keyFile] = [join(data, 'test.pem'), join(data, 'test.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  if (process.getuid?.() === 0) execFileSync('chown', ['postgres:postgres', certFile, keyFile]);
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${certFile}`, '-c', `ssl_key_file=${keyFile}`];
}

/** Where PostgreSQL's programs are: where POSTGRES_PROGRAMS says, or where Debian puts them; undefined where it is not installed. */
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

/** PostgreSQL refuses to be root. */
function notAsRoot(...command: string[]): string[] {
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command];
}
