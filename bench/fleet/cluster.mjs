import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../servers.mjs';
import { median } from '../table.mjs';

/** The settings that differ from PostgreSQL's defaults; as by default, a commit waits for the disk. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  max_connections: '200',
  shared_preload_libraries: 'pg_stat_statements',
};
/** Further settings that are printed, because they decide what a commit costs. */
const TOLD = ['server_version', 'fsync', 'synchronous_commit', 'wal_sync_method', 'autovacuum_naptime'];
const USER = 'bench';

/** The folder of PostgreSQL's programs on Debian, of the newest version; undefined if it is not installed. */
export function postgresPrograms() {
  const home = '/usr/lib/postgresql';
  try {
    const [version] = readdirSync(home).sort((one, other) => other - one);
    return version && join(home, version, 'bin');
  } catch {
    return undefined;
  }
}

/** A PostgreSQL of the bench's own, in an existing folder. */
export class Cluster {
  #programs = postgresPrograms();
  #processes = [];

  constructor(folder) {
    this.folder = folder;
    chmodSync(folder, 0o755);
  }

  async start() {
    this.port = await freePort();
    const data = this.#place('primary');
    this.#run('initdb', '-D', data, '-A', 'trust', '-U', USER, '-E', 'UTF8', '--no-sync');
    this.postmaster = await this.#serve(data, this.port);
    await this.sql('CREATE EXTENSION pg_stat_statements');
    return this;
  }

  /** Adds a standby that every commit waits for; returns a function that removes it. */
  async addStandby() {
    const [data, port] = [this.#place('standby'), await freePort()];
    const source = ['-h', '127.0.0.1', '-p', this.port, '-U', USER];
    this.#run('pg_basebackup', ...source, '-D', data, '-R', '-X', 'stream', '-c', 'fast');
    const standby = await this.#serve(data, port);
    await this.#beSynchronous("'*'");
    const state = `SELECT sync_state FROM pg_stat_replication`;
    while ((await this.sql(state))[0]?.sync_state !== 'sync') await sleep(50);
    return async () => {
      await this.#beSynchronous("''");
      await this.#kill(standby);
      rmSync(data, { recursive: true, force: true });
    };
  }

  url(database) {
    return `postgresql://${USER}@127.0.0.1:${this.port}/${database}`;
  }

  async sql(text, database = 'postgres') {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs an action with a new database, empty or a copy of another one, and drops it afterwards. */
  async withDatabase(template, action) {
    const name = `bench_${++this.count}`;
    await this.sql(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template} STRATEGY file_copy` : ''}`);
    try {
      // So that no run pays for what was written before.
      await this.sql('CHECKPOINT');
      return await action(name);
    } finally {
      await this.drop(name);
    }
  }

  /** Writes a database's pages to disk, and brings it into the state it has after a while. */
  async settle(name) {
    await this.sql('VACUUM ANALYZE', name);
    await this.sql('CHECKPOINT');
  }

  async drop(name) {
    await this.sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  /** The CPU time of all its processes so far, also of those that have ended, in microseconds; a tick of /proc is 10 ms. */
  cpu() {
    const { pid } = this.postmaster;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    const ended = ticksOf(pid, 4);
    return children.reduce((sum, child) => sum + ticksOf(child, 2), ended) * 10_000;
  }

  /** Its settings, by name. */
  async settings() {
    const names = [...TOLD, ...Object.keys(SETTINGS)].map((name) => `'${name}'`);
    const rows = await this.sql(
      `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name IN (${names})`,
    );
    return { ...Object.fromEntries(rows.map(({ name, value }) => [name, value])), fdatasync: this.#syncMicros() };
  }

  async stop() {
    for (const child of [...this.#processes].reverse()) await this.#kill(child);
  }

  count = 0;

  async #beSynchronous(names) {
    await this.sql(`ALTER SYSTEM SET synchronous_standby_names = ${names}`);
    await this.sql('SELECT pg_reload_conf()');
  }

  #place(name) {
    const place = join(this.folder, name);
    mkdirSync(place, { mode: 0o700 });
    if (isRoot()) execFileSync('chown', ['postgres:', place]);
    return place;
  }

  #run(program, ...args) {
    const [command, ...rest] = asItself(join(this.#programs, program), ...args.map(String));
    execFileSync(command, rest, { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async #serve(data, port) {
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', data, '-p', `${port}`, '-k', data, ...settings];
    const [command, ...rest] = asItself(join(this.#programs, 'postgres'), ...args);
    const child = spawn(command, rest, { cwd: '/', stdio: 'ignore' });
    this.#processes.push(child);
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const url = this.url('postgres').replace(`:${this.port}/`, `:${port}/`);
    while (!(await answers(url))) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode} at its start`);
      await sleep(50);
    }
    return child;
  }

  async #kill(child) {
    this.#processes = this.#processes.filter((other) => other !== child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.kill('SIGQUIT');
    await over;
  }

  /** How long it takes here until 8 kB are on disk, in microseconds. */
  #syncMicros() {
    const path = join(this.folder, 'sync');
    const file = openSync(path, 'w');
    const times = Array.from({ length: 200 }, () => {
      const start = performance.now();
      writeSync(file, Buffer.alloc(8_192), 0, 8_192, 0);
      fdatasyncSync(file);
      return (performance.now() - start) * 1_000;
    });
    closeSync(file);
    rmSync(path);
    return `${Math.round(median(times))} us`;
  }
}

function ticksOf(pid, fields) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return stat.slice(11, 11 + fields).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    // The process has just ended, and is counted with those that have.
    return 0;
  }
}

async function answers(connectionString) {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isRoot() {
  return process.getuid?.() === 0;
}

/** Runs a command as another user if this one is root, because PostgreSQL refuses to run as root. */
function asItself(...command) {
  if (!isRoot()) return command;
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command];
}
