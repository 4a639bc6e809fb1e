import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atLast } from './cleanup.js';
import type { PeerName } from './peers.js';
import { RawPeer } from './raw-peer.js';
import { pipeThrough, runInBackground, type Ended } from './processes.js';
import { until } from './until.js';
import { WORKLOADS } from './workloads.js';

/** A Gearman client or worker in another language. */
export interface ForeignProgram {
  readonly name: string;
  readonly peer: PeerName;
  command(port: number, ...args: string[]): Promise<[command: string, args: string[]]> | [string, string[]];
}

/** Reverses its standard input, byte by byte. */
const REVERSE = ['perl', '-0777', '-ne', 'print scalar reverse'];

/** Clients: they get a port, a function and a mode as arguments, and the workload on stdin; see test/support/peers. */
export const FOREIGN_CLIENTS: readonly ForeignProgram[] = [
  { name: 'a C client', peer: 'libgearman', command: async (...args) => [await compiled('client'), text(args)] },
  { name: 'a PHP client', peer: 'php', command: (...args) => ['php', [source('client.php'), ...text(args)]] },
  { name: 'a Perl client', peer: 'perl', command: (...args) => ['perl', [source('client.pl'), ...text(args)]] },
  {
    name: 'the gearman command',
    peer: 'gearman',
    command: (port, name = '') => ['gearman', ['-h', '127.0.0.1', '-p', String(port), '-f', name]],
  },
];

/** Workers: they get a port, and have the functions reverse, chatty, failing and throwing; gearman has only reverse. */
export const FOREIGN_WORKERS: readonly ForeignProgram[] = [
  { name: 'a C worker', peer: 'libgearman', command: async (...args) => [await compiled('worker'), text(args)] },
  { name: 'a PHP worker', peer: 'php', command: (...args) => ['php', [source('worker.php'), ...text(args)]] },
  { name: 'a Perl worker', peer: 'perl', command: (...args) => ['perl', [source('worker.pl'), ...text(args)]] },
  {
    name: 'gearman -w',
    peer: 'gearman',
    command: (port) => ['gearman', ['-w', '-h', '127.0.0.1', '-p', String(port), '-f', 'reverse', '--', ...REVERSE]],
  },
];

/** The workloads that a client can send: php-gearman refuses to send an empty one, to any job server. */
export function workloadsFor({ peer }: ForeignProgram): typeof WORKLOADS {
  return peer === 'php' ? WORKLOADS.filter(([, bytes]) => bytes.length > 0) : WORKLOADS;
}

/** Runs a client for a job, and returns what it prints. */
export async function runClient(
  client: ForeignProgram,
  port: number,
  name: string,
  workload: string | Buffer,
  mode: 'do' | 'events' | 'background' = 'do',
): Promise<Ended> {
  const [command, args] = await client.command(port, name, mode);
  return pipeThrough(command, args, workload);
}

/** Starts a worker and waits until the job server knows it; the returned function ends it. */
export async function startWorker(worker: ForeignProgram, port: number): Promise<() => Promise<void>> {
  const [command, args] = await worker.command(port);
  const stop = runInBackground(command, args);
  await untilServed(port, 'reverse');
  return stop;
}

/** Waits until the job server on `port` has a worker for a function. */
export async function untilServed(port: number, name: string): Promise<void> {
  const admin = await RawPeer.connect({ port });
  await until(`somebody can do ${name}`, async () => {
    admin.sendText('status\n');
    return (await admin.list()).some((line) => line.startsWith(`${name}\t`) && !line.endsWith('\t0\n'));
  });
  admin.destroy();
}

const text = (args: readonly (string | number)[]): string[] => args.map(String);
const source = (file: string): string => fileURLToPath(new URL(`peers/${file}`, import.meta.url));

const programs = new Map<string, Promise<string>>();

/** A program of test/support/peers, compiled when it is first needed. */
function compiled(name: string): Promise<string> {
  const program = programs.get(name) ?? compile(name);
  programs.set(name, program);
  return program;
}

async function compile(name: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'gearman-peer-'));
  atLast(() => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, name);
  const { code, stderr } = await pipeThrough('cc', ['-Wall', '-o', program, source(`${name}.c`), '-lgearman']);
  if (code !== 0) throw new Error(`${name}.c: ${stderr}`);
  return program;
}
