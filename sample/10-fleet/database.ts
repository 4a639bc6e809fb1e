import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

/** A database for the job servers. */
export interface Database {
  readonly url: string;
  stop(): Promise<void>;
}

/** The database that `DATABASE_URL` names, or else one of the sample's own. */
export async function openDatabase(): Promise<Database> {
  const url = process.env['DATABASE_URL'];
  return url ? { url, stop: async () => {} } : startPostgres();
}

/** Starts a PostgreSQL in a temporary folder, with the programs that Debian installs. */
async function startPostgres(): Promise<Database> {
  const programs = installedPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'sample-fleet-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const [initdb, ...initArgs] = notAsRoot(join(programs, 'initdb'), '-D', data, '-A', 'trust', '-U', 'sample');
  execFileSync(initdb!, initArgs, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' });
  const port = await freePort();
  const [program, ...args] = notAsRoot(join(programs, 'postgres'), '-D', data, '-p', `${port}`, '-k', folder);
  const postgres = spawn(program!, args, { stdio: 'ignore', cwd: '/' });
  await untilItAnswers(() => {
    execFileSync(join(programs, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', `${port}`]);
  });
  return {
    url: `postgresql://sample@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const exit = once(postgres, 'exit');
      postgres.kill('SIGINT');
      await exit;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function installedPrograms(): string {
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    if (versions[0]) return `/usr/lib/postgresql/${versions[0]}/bin`;
  } catch {
    // Reported below.
  }
  throw new Error('no PostgreSQL is installed: apt install postgresql, or set DATABASE_URL');
}

/** Runs a command as another user if this one is root, because PostgreSQL refuses to run as root. */
function notAsRoot(...command: string[]): string[] {
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilItAnswers(ask: () => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return ask();
    } catch (error) {
      if (attempt === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
