import { accepts } from './free-port.js';
import { startProgram } from './program.js';
import { until } from './until.js';

/** A process that serves a loopback port; it is ended at the latest when the test file is over. */
export interface Daemon {
  readonly port: number;
  readonly pid: number;
  /** What it has written to stdout and stderr so far. */
  output(): string;
  /** Asks it to end (SIGTERM) and waits; returns its exit code, or null if a signal ended it. */
  stop(): Promise<number | null>;
  /** Ends it at once (SIGKILL), like a crash, and waits until its port is free. */
  kill(): Promise<void>;
}

/** Starts `command` and waits until it accepts connections on `port`. */
export async function startDaemon(command: string, args: readonly string[], port: number): Promise<Daemon> {
  const program = startProgram(command, args);
  await until(`${command} listens on port ${port}`, () => {
    program.mustRun();
    return accepts(port);
  });
  return {
    port,
    pid: program.pid,
    output: program.output,
    stop: () => program.end('SIGTERM'),
    kill: async () => void (await program.end('SIGKILL')),
  };
}
