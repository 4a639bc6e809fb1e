import type { JobHandler } from '../../driver/index.js';
import { showText, showTextWord } from '../../protocol/index.js';
import type { Terminal } from '../command.js';
import { StatusLine } from './status-line.js';

/** The line with which `work` tells a person what it is doing: `12 done, 1 failed, 2 running: reverse H:box:15`. */
export class WorkTally {
  private readonly line: StatusLine;
  private done = 0;
  private failed = 0;
  /** The running jobs in the order in which they came, as they are shown. */
  private readonly running = new Set<{ readonly job: string }>();
  /** The functions it waits for, as they are shown; undefined before it waits. */
  private names: string | undefined;

  constructor(screen: Terminal['stderr']) {
    this.line = new StatusLine(screen);
  }

  /** Shows that it waits for jobs of these functions. */
  begin(names: readonly string[]): void {
    this.names = names.map(showTextWord).join(' ');
    this.show();
  }

  /** Prints something else, above the line. */
  aside(print: () => void): void {
    this.line.aside(print);
  }

  /** Leaves the line on the screen as a summary; there is none if work never began. */
  end(): void {
    this.show();
    this.line.end();
  }

  /** A handler that does the same and is counted. */
  counting(handler: JobHandler): JobHandler {
    return async (job) => {
      const entry = { job: `${showText(job.function)} ${showText(job.handle)}` };
      this.running.add(entry);
      this.show();
      try {
        const result = await handler(job);
        this.done++;
        return result;
      } catch (error) {
        this.failed++;
        throw error;
      } finally {
        this.running.delete(entry);
        this.show();
      }
    };
  }

  private show(): void {
    const { done, failed, running, names } = this;
    if (names === undefined) return;
    const [oldest] = running;
    this.line.show(`${done} done, ${failed} failed, ${running.size} running: ${oldest?.job ?? `waits for ${names}`}`);
  }
}
