import type { Readable, Writable } from 'node:stream';
import type { OptionTable } from './options/option.js';

/** Where a command reads and writes: the process' own streams, or those of a test. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborts when the person wants the command to end (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
}

/** A command of `nestjs-gearman`; the table of commands has its name. */
export interface Command {
  /** The options that it understands; completions are made from them. */
  readonly options: OptionTable;
  /** Its help page. */
  help(): string;
  /**
   * Runs the command. @throws Failure, with the exit code, when it does not work.
   *
   * @param line the words behind the command's name.
   */
  run(line: readonly string[], terminal: Terminal): Promise<void>;
}

/** A command in the list. It is loaded only when it is run, because a job server needs no client and a client no job server. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}
