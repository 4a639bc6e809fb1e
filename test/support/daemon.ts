import { spawn, type ChildProcess } from 'node:child_process';
import { atEnd } from './cleanup.js';
import { accepts } from './free-port.js';
import { until } from './until.js';

/** A process that serves a loopback port, ended at the latest when the test file is over. */
export interface Daemon {
  readonly port: number;
  readonly pid: number;
  /** What it has written to stdout and stderr so far. */
  output(): string;
  /** Asks it to end (SIGTERM) and waits; its exit code, or null when a signal ended it. */
  stop(): Promise<number | null>;
  /** Ends it at once (SIGKILL), as a crash would, and waits until its port is free. */
  kill(): Promise<void>;
}

/** Starts `command` and waits until it accepts connections on `port`. */
export async function startDaemon(command: string, args: readonly string[], port: number): Promise<Daemon> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const over = exitOf(child);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return over;
  };
  atEnd(async () => void (await end('SIGKILL')));

  await until(`${command} listens on port ${port}`, () => {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode} at its start: ${output}`);
    return accepts(port);
  });
  return {
    port,
    pid: child.pid!,
    output: () => output,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}
