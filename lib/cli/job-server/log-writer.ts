import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { harmlessJson, oneLine, readableLine, type Log, type LogFields } from '../../ground/index.js';
import { LOG_LEVELS, type LogLevel } from './log-level.js';

const LEVEL_OF: Record<Parameters<Log>[0], LogLevel> = {
  error: 'ERROR',
  warn: 'WARNING',
  info: 'INFO',
  debug: 'DEBUG',
};

/** The form of log lines. */
export type LogFormat = 'text' | 'json';

/** How much may wait for the reader of stderr before lines are dropped, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

// O_NONBLOCK: the "file" may be a pipe, and opening it must not wait for a reader.
const FLAGS = constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/**
 * The job server's log: a file, stderr, or nothing.
 *
 * It never delays the job server. A line that cannot be written now, because
 * nobody reads or the disk is full, is dropped and counted; the next line that can
 * be written is preceded by the number of dropped ones.
 */
export class LogWriter {
  private file: number | undefined;
  private lostLines = 0;

  /**
   * @param target a file's path, `stderr` or `none`.
   * @param level less severe lines are left out.
   * @param format gearmand's lines, or one JSON object a line.
   */
  constructor(
    private readonly target: string,
    private readonly level: LogLevel,
    private readonly format: LogFormat = 'text',
  ) {}

  /**
   * Opens the file, or opens it again after it was moved away.
   *
   * @throws the system's error. Lines then go where they went before; the first time, to stderr.
   */
  open(): void {
    if (this.target === 'stderr' || this.target === 'none') return;
    const file = openSync(this.target, FLAGS, 0o644);
    if (this.file !== undefined) closeSync(this.file);
    this.file = file;
  }

  /** The job server's {@link Log}: writes a line. */
  readonly log: Log = (level, message, fields) => this.write(LEVEL_OF[level], message, fields);

  write(level: LogLevel, message: string, fields?: LogFields): void {
    if (this.target === 'none' || LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return;
    const line = LINES[this.format];
    const lost = this.lostLines > 0 ? line('WARNING', `${this.lostLines} lines could not be written`, {}) : '';
    if (this.append(lost + line(level, message, fields))) this.lostLines = 0;
    else this.lostLines++;
  }

  private append(text: string): boolean {
    if (this.file === undefined) {
      // Writing to a pipe does not block; what its reader has not read waits in memory.
      if (process.stderr.writableLength > MAX_WAITING_BYTES) return false;
      process.stderr.write(text);
      return true;
    }
    try {
      writeSync(this.file, text);
      return true;
    } catch {
      // A full disk or pipe. Only the log itself could tell of it, later.
      return false;
    }
  }
}

type Line = (level: LogLevel, message: string, fields: LogFields | undefined) => string;

/** How each format writes a line. */
const LINES: Record<LogFormat, Line> = {
  /** As gearmand writes it: the level, aligned right in seven columns, the time, the message. */
  text: (level, message, fields) =>
    `${level.padStart(7)} ${new Date().toISOString()} ${oneLine(readableLine(message, fields))}\n`,
  json: (level, message, fields) =>
    `${harmlessJson(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))}\n`,
};
