import { oneLine } from '../../ground/index.js';
import type { Terminal } from '../command.js';

/** How often the line is drawn anew at most, in milliseconds: a person cannot read faster. */
const REDRAW_INTERVAL = 100;

/** To the beginning of the line, and what stands there away. */
const CLEAR_LINE = '\r\u001b[2K';

/** What is drawn of a terminal. */
type Screen = Terminal['stderr'] & { readonly columns?: number };

/** Whether a person looks at what the command prints: only then something is drawn that moves. */
export function isWatched({ stdout, stderr }: Terminal): boolean {
  return [stdout, stderr].every((stream) => 'isTTY' in stream && stream.isTTY === true);
}

/**
 * One line at the bottom of a terminal that says what goes on, drawn anew as
 * that changes. What else is printed goes through `aside`, so that it stands
 * above the line and not in it.
 */
export class StatusLine {
  private text = '';
  private isDrawn = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly screen: Screen) {}

  /** Changes the line; it is drawn soon. */
  show(text: string): void {
    this.text = oneLine(text);
    this.timer ??= setTimeout(() => this.draw(), REDRAW_INTERVAL).unref();
  }

  /** Prints something else, with its own line ends. */
  aside(print: () => void): void {
    this.clear();
    print();
    this.timer ??= setTimeout(() => this.draw(), REDRAW_INTERVAL).unref();
  }

  /** Draws the line for the last time, and ends it. */
  end(): void {
    if (this.timer) this.draw();
    if (this.isDrawn) this.screen.write('\n');
    this.isDrawn = false;
  }

  private draw(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text === '') return;
    this.isDrawn = true;
    this.screen.write(CLEAR_LINE + fitting(this.text, (this.screen.columns ?? 80) - 1));
  }

  private clear(): void {
    if (this.isDrawn) this.screen.write(CLEAR_LINE);
    this.isDrawn = false;
  }
}

function fitting(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
