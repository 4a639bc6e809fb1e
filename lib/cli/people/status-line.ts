import { oneLine } from '../../ground/index.js';
import type { Terminal } from '../command.js';

/** The shortest time between two drawings of the line, in milliseconds: a person cannot read faster. */
const REDRAW_INTERVAL = 100;

/** Moves to the beginning of the line and erases it. */
const CLEAR_LINE = '\r\u001b[2K';

/** A terminal to draw on. */
type Screen = Terminal['stderr'] & { readonly columns?: number };

/** Whether a person sees what the command prints: only then it draws something that moves. */
export function isWatched({ stdout, stderr }: Terminal): boolean {
  return [stdout, stderr].every((stream) => 'isTTY' in stream && stream.isTTY === true);
}

/**
 * One line at the bottom of a terminal that says what is going on, drawn again when
 * that changes. Everything else must be printed through `aside`, so that it appears
 * above the line.
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
