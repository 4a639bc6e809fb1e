import { emitKeypressEvents, type Interface, type Key as Keypress } from 'node:readline';
import { ReadStream, WriteStream } from 'node:tty';
import type { Terminal } from '../command.js';
import type { Line, Size } from './frame.js';
import { Painting } from './painting.js';
import type { Key } from './view.js';

/** Switches to the alternate screen, hides the cursor, and turns line wrapping off. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** How long after Esc the rest of another key may come, in milliseconds. */
const ESCAPE_PATIENCE = 50;

/** How long to wait for the system to stop the process, which it may not do, in milliseconds. */
const STOP_PATIENCE = 200;

/** What a screen tells its owner. */
export interface ScreenListener {
  key(key: Key): void;
  /** The screen must be drawn again. */
  stale(): void;
  /** The terminal is gone, or the process is to end. */
  gone(): void;
}

/**
 * The whole terminal of a person: it shows lines and reads keys.
 *
 *   open --> shown <--> stopped (Ctrl-Z, SIGTSTP; SIGCONT)
 *              |
 *            close: as it was before
 *
 * However the process ends, except by SIGKILL, the terminal is restored.
 */
export class Screen {
  private readonly painting: Painting;
  private listener: ScreenListener | undefined;
  private isShown = false;

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
  ) {
    // `hasColors` knows the terminal and the variable NO_COLOR.
    this.painting = new Painting(output.hasColors());
  }

  /** The terminal of a command; undefined if there is none, or if it can only write line by line. */
  static of({ stdin, stdout }: Terminal): Screen | undefined {
    if (!(stdin instanceof ReadStream && stdout instanceof WriteStream) || process.env.TERM === 'dumb')
      return undefined;
    return new Screen(stdin, stdout);
  }

  get size(): Size {
    // Some terminals report no size at first; then a usual size is assumed.
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 };
  }

  open(listener: ScreenListener): void {
    this.listener = listener;
    // The function reads only one option of an Interface, and uses nothing else of it.
    emitKeypressEvents(this.input, { escapeCodeTimeout: ESCAPE_PATIENCE } as unknown as Interface);
    this.input.on('keypress', this.pressed).on('end', this.gone).on('error', this.gone);
    this.output.on('resize', this.stale);
    process.on('exit', this.restore).on('uncaughtExceptionMonitor', this.restore);
    process.on('SIGTSTP', this.stop).on('SIGCONT', this.goOn).on('SIGHUP', this.gone);
    this.show();
    this.input.resume();
  }

  /** Shows lines. If the terminal has not read what was written before, they are skipped. */
  draw(lines: readonly Line[]): void {
    if (!this.isShown || this.output.writableNeedDrain) return;
    const text = this.painting.next(lines, this.size.columns);
    if (text !== '') this.output.write(text);
  }

  /** Draws the next lines as if the screen were empty. */
  clear(): void {
    this.painting.forget();
  }

  /** Stops the process as Ctrl-Z does, with the shell's job that it belongs to; it continues with SIGCONT. */
  readonly stop = (): void => {
    this.restore();
    process.off('SIGTSTP', this.stop);
    process.kill(0, 'SIGTSTP');
    // The system does not stop a process that no shell could continue.
    setTimeout(() => {
      if (!this.isShown) this.goOn();
    }, STOP_PATIENCE);
  };

  close(): void {
    this.restore();
    this.listener = undefined;
    this.input.off('keypress', this.pressed).off('end', this.gone).off('error', this.gone).pause();
    this.output.off('resize', this.stale);
    process.off('exit', this.restore).off('uncaughtExceptionMonitor', this.restore);
    process.off('SIGTSTP', this.stop).off('SIGCONT', this.goOn).off('SIGHUP', this.gone);
  }

  private show(): void {
    this.painting.forget();
    this.input.setRawMode(true);
    this.output.write(ENTER);
    this.isShown = true;
  }

  private readonly restore = (): void => {
    if (!this.isShown) return;
    this.isShown = false;
    this.output.write(LEAVE);
    this.input.setRawMode(false);
  };

  /** Another program may have left the terminal in another mode in the meantime. */
  private readonly goOn = (): void => {
    if (!this.listener) return;
    this.restore();
    if (!process.listeners('SIGTSTP').includes(this.stop)) process.on('SIGTSTP', this.stop);
    this.show();
    this.listener.stale();
  };

  private readonly stale = (): void => {
    this.painting.forget();
    this.listener?.stale();
  };

  private readonly gone = (): void => this.listener?.gone();

  private readonly pressed = (text: string | undefined, { name, ctrl, meta }: Keypress): void => {
    const isTyped = !ctrl && !meta && text !== undefined && /^\P{Cc}+$/u.test(text);
    this.listener?.key({ name: `${ctrl ? 'ctrl-' : ''}${name ?? ''}`, text: isTyped ? text : '' });
  };
}
