import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gearload } from '../gearload.mjs';
import { hasGearmand, startServer } from '../servers.mjs';
import { QUEUES } from './queues.mjs';

const require = createRequire(import.meta.url);
const CLIENTS = 8;
const WORKERS = 8;
/** Uses other functions than the load, whose jobs must stay where they are. */
const WARM_UP = ['-m', 'fg', '-f', 2, '-n', 20_000];

/** A job server, with jobs in a database or a folder. */
class Servers {
  constructor(title, server, { isInDatabase = true, options = [] } = {}) {
    Object.assign(this, { title, server, isInDatabase, options, most: Infinity });
  }

  get missing() {
    return this.server.startsWith('gearmand') && !hasGearmand ? 'C gearmand is missing' : undefined;
  }

  /** Submits background jobs without workers. */
  submit(place, { jobs, inFlight }) {
    const args = ['-m', 'bg', '-c', CLIENTS, '-d', inFlight / CLIENTS];
    return this.with(place, 1, async ([load]) => {
      await load([...args, '-n', Math.ceil(jobs / 10)]);
      return counted(place, jobs, () => load([...args, '-n', jobs]));
    });
  }

  /** Submits and works at the same time. */
  mixed(place, { jobs }) {
    const args = ['-m', 'mixed', '-c', CLIENTS, '-d', 8, '-w', WORKERS];
    return this.with(place, 1, async ([load]) => {
      await load([...args, '-n', Math.ceil(jobs / 10)]);
      return counted(place, jobs, () => load([...args, '-n', jobs]));
    });
  }

  fill(place, { jobs }) {
    return this.with(place, 1, ([load]) => load(['-m', 'bg', '-c', CLIENTS, '-d', 64, '-n', jobs, '-t', 900]));
  }

  /** Runs queued jobs, by one job server or by several that share the jobs and the workers. */
  drain(place, { jobs, servers = 1 }) {
    const share = ['-m', 'drain', '-w', WORKERS / servers, '-n', Math.ceil(jobs / servers)];
    return this.with(place, servers, async (loads) => {
      for (const load of loads) await load(WARM_UP);
      return counted(place, jobs, async () => {
        const all = await Promise.all(loads.map((load) => load(share)));
        const seconds = Math.max(...all.map((figures) => figures.seconds));
        const cpuMicros = all.reduce((sum, figures) => sum + figures.cpuMicros, 0) / servers;
        return { perSecond: jobs / seconds, cpuMicros };
      });
    });
  }

  async with({ program, place }, count, action) {
    const servers = [];
    try {
      while (servers.length < count) servers.push(await startServer(this.server, place));
      return await action(servers.map((server) => (args) => gearload(program, server, [...args, ...this.options])));
    } finally {
      for (const server of servers) await server.stop();
    }
  }
}

/** A library, in a process of its own that submits or works. */
class Library {
  isInDatabase = true;

  /** @param most the largest number of waiting jobs; filling the queue with more would take too long. */
  constructor(name, most = Infinity) {
    this.title = this.name = name;
    this.most = most;
  }

  get missing() {
    const { packages } = QUEUES[this.name];
    const isThere = (name) => require.resolve.paths(name).some((folder) => existsSync(join(folder, name)));
    const absent = packages.filter((name) => !isThere(name));
    return absent.length > 0 ? `npm install --no-save ${absent.join(' ')}` : undefined;
  }

  submit(place, { jobs, inFlight }) {
    return this.with(place, async (ask) => {
      await ask({ act: 'submit', jobs: Math.ceil(jobs / 10), inFlight });
      return counted(place, jobs, () => ask({ act: 'submit', jobs, inFlight }));
    });
  }

  fill(place, { jobs }) {
    return this.with(place, (ask) => ask({ act: 'fill', jobs }));
  }

  drain(place, { jobs }) {
    return this.with(place, (ask) => counted(place, jobs, () => ask({ act: 'drain', jobs })));
  }

  async with({ place }, action) {
    const child = fork(new URL('queue-process.mjs', import.meta.url), [this.name, place]);
    const answer = async () => {
      const [told] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])]);
      if (told === undefined) throw new Error(`${this.name} ended while it was measured`);
      return told;
    };
    const ask = (message) => {
      const told = answer();
      child.send(message);
      return told;
    };
    try {
      await answer();
      return await action(ask);
    } finally {
      const over = once(child, 'exit');
      child.kill('SIGKILL');
      await over;
    }
  }
}

/** Adds the CPU time of PostgreSQL's processes for each job. */
async function counted({ cpu }, jobs, action) {
  if (!cpu) return action();
  const before = cpu();
  const figures = await action();
  return { ...figures, databaseMicros: (cpu() - before) / jobs };
}

/** All contestants, by name. */
export const CONTESTANTS = {
  ours: new Servers('ours', 'postgres'),
  'ours-uniques': new Servers('ours, with uniques', 'postgres', { options: ['-u'] }),
  log: new Servers('ours, log', 'durable', { isInDatabase: false }),
  // Its table keeps only one job without a unique for each function.
  gearmand: new Servers('gearmand -q Postgres', 'gearmand-postgres', { options: ['-u'] }),
  'pg-boss': new Library('pg-boss'),
  'graphile-worker': new Library('graphile-worker'),
  bullmq: new Library('bullmq', 100_000),
};
