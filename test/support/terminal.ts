import { PassThrough, Readable } from 'node:stream';
import type { Terminal } from '../../lib/cli/command.js';
import { runCommandLine } from '../../lib/cli/run.js';

/** What a command printed, and how it ended. */
export interface CommandResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** A command that runs in this process, in a terminal that the test controls. */
export class RunningCommand {
  readonly result: Promise<CommandResult>;
  private readonly ending = new AbortController();
  private out = '';
  private err = '';

  constructor(line: readonly string[], stdin = '') {
    const terminal: Terminal = {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout: this.collect((text) => (this.out += text)),
      stderr: this.collect((text) => (this.err += text)),
      signal: this.ending.signal,
    };
    this.result = runCommandLine(line, terminal).then((exitCode) => ({ stdout: this.out, stderr: this.err, exitCode }));
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.out;
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.ending.abort();
  }

  private collect(take: (text: string) => void): PassThrough {
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => take(chunk.toString()));
    return stream;
  }
}

/** Runs a command line to its end. */
export function command(line: readonly string[], stdin?: string): Promise<CommandResult> {
  return new RunningCommand(line, stdin).result;
}
