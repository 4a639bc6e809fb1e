import { execFile, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './job-server-address.mjs';

const run = promisify(execFile);

/** How long the primary is dead before anybody notices, and how long a primary that hangs still exists after the promotion, in milliseconds. */
const DETECTION = 500;
const HUNG = 4_000;

/** How long an operation of a database may take, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Two PostgreSQL clusters: a primary, and a standby whose disk every commit waits
 * for. When the primary dies, the standby is promoted, and the other one becomes
 * its standby, as with a cluster manager. Only the process is killed; it does not
 * prove what a commit needs from the disk (`fsync` is off).
 */
export class DatabasePair {
  #programs = programsOfPostgres();
  #primary;
  #standby;

  constructor(folder) {
    this.folder = join(folder, 'database');
  }

  async start() {
    mkdirSync(this.folder);
    chmodSync(this.folder, 0o777);
    chmodSync(join(this.folder, '..'), 0o777);
    this.#primary = { data: join(this.folder, 'a'), port: await freePort() };
    this.#standby = { data: join(this.folder, 'b'), port: await freePort() };
    await this.#run('initdb', '-D', this.#primary.data, '-A', 'trust', '-U', 'gear', '-E', 'UTF8', '--no-sync');
    const settings = { fsync: 'off', synchronous_standby_names: "'*'", max_wal_senders: 5, wal_receiver_timeout: 2000 };
    const lines = Object.entries({ ...settings, max_connections: 100, listen_addresses: "'127.0.0.1'" });
    const config = join(this.#primary.data, 'postgresql.conf');
    appendFileSync(config, lines.map(([name, value]) => `${name} = ${value}\n`).join(''));
    await this.#open(this.#primary);
    await this.#follow();
    this.hosts = [this.#primary, this.#standby].map(({ port }) => `127.0.0.1:${port}`);
  }

  /** The address of both; a client looks for the one that accepts writes. */
  get url() {
    return `postgresql://gear@${this.hosts.join(',')}/postgres`;
  }

  /** Kills the primary, or lets it hang first. The standby takes its place, and gets a standby of its own. */
  async failOver(signal) {
    const former = this.#primary;
    for (const pid of this.#processes(former)) kill(pid, signal);
    await sleep(DETECTION);
    this.#primary = this.#standby;
    await this.#sql(this.#primary, 'SELECT pg_promote(true, 60)');
    if (signal === 'SIGSTOP') await sleep(HUNG);
    await this.#end(former);
    rmSync(former.data, { recursive: true });
    this.#standby = { data: former.data, port: former.port };
    await this.#follow();
  }

  /** Kills the standby: no commit returns until it is back. */
  async loseStandby() {
    await this.#end(this.#standby);
    await sleep(DETECTION);
    await this.#open(this.#standby);
    await this.#untilInSync();
  }

  /** How many jobs there are. */
  async jobsLeft() {
    return Number(await this.#sql(this.#primary, 'SELECT count(*) FROM gearman.jobs'));
  }

  /** Some of the jobs that are left, one line each, with their owners; then the sessions of job servers. */
  async whatIsLeft() {
    const jobs = `SELECT 'job ' || convert_from(handle, 'LATIN1') || ' owner ' || owner || ' priority ' || priority || ' at ' || at
      || ' attempts ' || attempts || ' losses ' || losses FROM gearman.jobs ORDER BY seq LIMIT 10`;
    const owners = `SELECT 'session ' || id || ' of ' || name || CASE WHEN dead THEN ', dead' ELSE '' END || ', beat ' || beat
      || ', holds ' || (SELECT count(*) FROM gearman.jobs WHERE owner = o.id) FROM gearman.owner o ORDER BY id`;
    const texts = [await this.#sql(this.#primary, jobs), await this.#sql(this.#primary, owners)];
    return texts.join('\n').split('\n');
  }

  async stop() {
    await Promise.all([this.#primary, this.#standby].map((cluster) => this.#end(cluster)));
  }

  /** Kills both at once, when the test itself ends. */
  kill() {
    for (const cluster of [this.#primary, this.#standby]) {
      if (cluster?.process) for (const pid of this.#processes(cluster)) kill(pid, 'SIGKILL');
    }
  }

  /** Starts the standby with a copy of the primary. */
  async #follow() {
    const { data } = this.#standby;
    const from = ['-h', '127.0.0.1', '-p', this.#primary.port, '-U', 'gear'];
    await this.#run('pg_basebackup', ...from, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync');
    await this.#open(this.#standby);
    await this.#untilInSync();
  }

  #untilInSync() {
    const state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    return this.#until('the standby is in sync', async () => (await this.#sql(this.#primary, state)) === '1');
  }

  async #open(cluster) {
    const args = ['-D', cluster.data, '-p', cluster.port, '-k', this.folder];
    const [program, ...rest] = this.#command('postgres', ...args);
    cluster.process = spawn(program, rest.map(String), { stdio: 'ignore', cwd: '/' });
    cluster.over = new Promise((resolve) => cluster.process.once('exit', resolve));
    await this.#until('PostgreSQL answers', () => this.#sql(cluster, 'SELECT 1').then(() => true));
  }

  async #end(cluster) {
    for (const pid of this.#processes(cluster)) kill(pid, 'SIGKILL');
    await cluster.over;
  }

  /** Its processes, the main one first, so that it cannot restart the others; none after its end, when other processes may have the numbers. */
  #processes({ process: { pid, exitCode, signalCode } }) {
    if (exitCode !== null || signalCode !== null) return [];
    const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
    return [pid, ...others.map(Number)];
  }

  async #sql({ port }, statement) {
    const client = ['-h', '127.0.0.1', '-p', port, '-U', 'gear', '-XAtq', 'postgres', '-c', statement];
    return (await this.#run('psql', ...client)).trim();
  }

  async #run(program, ...args) {
    const [command, ...rest] = this.#command(program, ...args);
    return (await run(command, rest.map(String), { cwd: '/', timeout: PATIENCE })).stdout;
  }

  /** Runs a program as another user if this one is root, because PostgreSQL refuses to run as root. */
  #command(program, ...args) {
    const command = [join(this.#programs, program), ...args];
    if (process.getuid() !== 0) return command;
    return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command];
  }

  async #until(what, isSo) {
    const deadline = Date.now() + PATIENCE;
    while (!(await isSo().catch(() => false))) {
      if (Date.now() > deadline) throw new Error(`not within ${PATIENCE} ms: ${what}`);
      await sleep(50);
    }
  }
}

function programsOfPostgres() {
  const { POSTGRES_PROGRAMS: told } = process.env;
  if (told) return told;
  const [version] = readdirSync('/usr/lib/postgresql').sort((one, other) => other - one);
  return `/usr/lib/postgresql/${version}/bin`;
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
  } catch {
    return undefined;
  }
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
