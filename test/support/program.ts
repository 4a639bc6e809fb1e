import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { atEnd } from './cleanup.js';
import { until } from './until.js';

/** A running program; it is ended at the latest when the test file is over. */
export interface Program {
  readonly pid: number;
  /** Its exit code when it has ended; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** What it has written to stdout and stderr so far. */
  output(): string;
  /** Fails if the program has ended, or could not be started: then waiting for it is in vain. */
  mustRun(): void;
  /** Waits until it has written something that matches, and returns the match. */
  says(expected: RegExp): Promise<RegExpExecArray>;
  /** Sends it a signal, unless it has ended, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Where a program runs, and its environment in addition to the test's own. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Makes the kernel end a program when this process dies, because a test run that is killed cannot clean up. */
const TIED = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] : [];

/** Starts a program. */
export function startProgram(command: string, args: readonly string[], { cwd, env }: ProgramOptions = {}): Program {
  const [first, ...rest] = [...TIED, command, ...args];
  const child = spawn(first!, rest, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let why: string | undefined;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      why = error.message;
      resolve(null);
    });
    child.once('close', (code, signal) => {
      why ??= `ended with ${code ?? signal}: ${output}`;
      resolve(code);
    });
  });
  const program: Program = {
    pid: child.pid ?? 0,
    ended,
    output: () => output,
    mustRun: () => {
      if (why !== undefined) throw new Error(`${command} ${args.join(' ')} ${why}`);
    },
    says: (expected) =>
      until(`${command} says ${expected}`, () => {
        const match = expected.exec(output);
        if (!match) program.mustRun();
        return match;
      }),
    end: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
  atEnd(async () => void (await program.end('SIGKILL')));
  return program;
}
