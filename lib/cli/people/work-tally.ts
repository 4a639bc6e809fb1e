import type { JobHandler } from '../../driver/index.js';
import { showText, showTextWord } from '../../protocol/index.js';
import type { Terminal } from '../command.js';
import { StatusLine } from './status-line.js';

/** The line in which `work` tells a person what it does: `12 done, 1 failed, 2 running: reverse H:box:15`. */
export class WorkTally {
  private readonly line: StatusLine;
  private done = 0;
  private failed = 0;
  /** Running jobs in the order they came, as they are shown. */
  private readonly running = new Set<{ readonly job: string }>();
  /** What it waits for, as it is shown; undefined before it does. */
  private names: string | undefined;

  constructor(screen: Terminal['stderr']) {
    this.line = new StatusLine(screen);
  }

  /** It waits for jobs of these functions. */
  begin(names: readonly string[]): void {
    this.names = names.map(showTextWord).join(' ');
    this.show();
  }

  /** Prints something else, above the line. */
  aside(print: () => void): void {
    this.line.aside(print);
  }

  /** The line stays, as what was done; of work that never began there is none. */
  end(): void {
    this.show();
    this.line.end();
  }

  /** The same handler, counted. */
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
