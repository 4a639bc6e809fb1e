import type { Readable, Writable } from 'node:stream';
import type { OptionTable } from './options/option.js';

/** Where a command reads and writes: the process' own streams, or a test's. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborts when the person wants the command to end (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
}

/** A command of `nestjs-gearman`, by its name in the table of commands. */
export interface Command {
  /** What it understands; completions are made from it. */
  readonly options: OptionTable;
  /** Its help page. */
  help(): string;
  /**
   * Does it. @throws Failure when it does not work, with the exit code.
   *
   * @param line the words behind the command's name.
   */
  run(line: readonly string[], terminal: Terminal): Promise<void>;
}

/** A command in the list: loaded only when it is run, since a job server needs no client and a client no job server. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}
