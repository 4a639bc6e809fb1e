import type { Duplex } from 'node:stream';
import { GearmanError } from '../ground/index.js';
import { dial, problemOf, type Endpoint } from '../connection/index.js';
import { LIST_END } from '../protocol/index.js';
import { ConnectionLostError, ServerError, TimeoutError } from './errors.js';
import { Fifo } from './fifo.js';

/** How an answer ends: after one line, or with a line that is a full stop. */
export type AnswerShape = 'line' | 'list';

/** A command that waits for its answer. */
interface Command {
  readonly shape: AnswerShape;
  readonly lines: string[];
  /** Whether the job server may answer by closing the connection; otherwise that is an error. */
  readonly endIsAnswer: boolean;
  settle(result: readonly string[] | GearmanError): void;
}

const NEWLINE = 0x0a;

/**
 * One connection that speaks Gearman's admin protocol: commands are lines, and
 * answers come in their order. Lines are byte strings without a limit of
 * length: a worker with a thousand functions is one line.
 */
export class AdminConnection {
  private readonly commands = new Fifo<Command>();
  /** The beginning of a line whose end has not arrived yet. */
  private tail: Buffer[] = [];
  private isOpen = true;

  private constructor(
    private readonly server: string,
    private readonly stream: Duplex,
    private readonly whenClosed: () => void,
  ) {
    stream.on('data', (chunk: Buffer) => this.read(chunk));
    stream.on('error', (error: Error) => this.end(error));
    stream.on('end', () => this.end());
    stream.on('close', () => this.end());
  }

  /** @throws ConnectError */
  static async open(endpoint: Endpoint, timeout: number, whenClosed: () => void): Promise<AdminConnection> {
    return new AdminConnection(endpoint.name, await dial(endpoint, { timeout }), whenClosed);
  }

  /**
   * Sends a command; resolves with the lines of its answer, without the full stop.
   *
   * @throws ServerError for an answer that starts with ERR, TimeoutError, ConnectionLostError
   */
  ask(command: string, shape: AnswerShape, timeout: number, endIsAnswer = false): Promise<readonly string[]> {
    if (!this.isOpen) return Promise.reject(new ConnectionLostError(this.server, 'before the command was sent'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // The answer may still come, and would be read as the answer to the next command.
        this.end(new TimeoutError(`the answer of ${this.server} to ${command}`, timeout, 'timeout'));
      }, timeout);
      const settle = (result: readonly string[] | GearmanError) => {
        clearTimeout(timer);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      this.commands.push({ shape, lines: [], endIsAnswer, settle });
      // If a command ends with a bare newline, gearmand 1.1.20 cuts off the last letter of a `create function`.
      this.stream.write(`${command}\r\n`, 'latin1');
    });
  }

  /** Ends the connection; commands that wait for an answer fail with `reason`. */
  end(reason?: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    // Errors of a destroyed stream are consequences.
    this.stream.on('error', () => undefined).destroy();
    this.whenClosed();
    const failure =
      reason instanceof GearmanError
        ? reason
        : new ConnectionLostError(this.server, reason ? problemOf(reason) : 'it closed the connection', {
            cause: reason,
          });
    for (const command of this.commands.takeAll()) {
      command.settle(command.endIsAnswer ? command.lines : failure);
    }
  }

  private read(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      const bytes = this.tail.length > 0 ? Buffer.concat([...this.tail, rest]) : rest;
      this.tail = [];
      start = end + 1;
      const stop = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
      this.line(bytes.toString('latin1', 0, stop));
    }
    if (start < chunk.length) this.tail.push(chunk.subarray(start));
  }

  private line(line: string): void {
    const command = this.commands.peek();
    if (!command) return this.end(new Error(`it said ${line.slice(0, 80)} without being asked`));
    const error = command.lines.length === 0 ? errorOf(this.server, line) : undefined;
    if (error === undefined && command.shape === 'list' && line !== LIST_END) return void command.lines.push(line);
    this.commands.shift();
    if (command.shape === 'line') command.lines.push(line);
    command.settle(error ?? command.lines);
  }
}

/** Reads `ERR CODE Text+with+plus`; gearmand also says `ERR a text`. A line with tabs is a row of a list. */
function errorOf(server: string, line: string): ServerError | undefined {
  const [, words] = /^ERR ([^\t]+)$/.exec(line) ?? [];
  if (words === undefined) return undefined;
  const [, code, text] = /^([A-Za-z]+(?:_[A-Za-z]+)+) ?(.*)$/.exec(words) ?? [undefined, 'ERR', words];
  return new ServerError(server, code!, spoken(text!).trim());
}

/** A refusal's text, decoded as a URL component; gearmand may send a text that is none, which is shown as it came. */
function spoken(text: string): string {
  const words = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}
