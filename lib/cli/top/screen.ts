import { emitKeypressEvents, type Interface, type Key as Keypress } from 'node:readline';
import { ReadStream, WriteStream } from 'node:tty';
import type { Terminal } from '../command.js';
import type { Line, Size } from './frame.js';
import { Painting } from './painting.js';
import type { Key } from './view.js';

/** The other screen, without a cursor, and lines that end at its edge. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** For how long Esc is waited for to be the beginning of another key, in milliseconds. */
const ESCAPE_PATIENCE = 50;

/** For how long a stop of the process is waited for that may not come, in milliseconds. */
const STOP_PATIENCE = 200;

/** What a screen tells. */
export interface ScreenListener {
  key(key: Key): void;
  /** What is shown must be drawn again. */
  stale(): void;
  /** The terminal is gone, or the process is to end. */
  gone(): void;
}

/**
 * The whole terminal of a person: drawn by lines, read by keys.
 *
 *   open --> shown <--> stopped (Ctrl-Z, SIGTSTP; SIGCONT)
 *              |
 *            close: as it was before
 *
 * However the process ends, short of SIGKILL, the terminal is as it was before.
 */
export class Screen {
  private readonly painting: Painting;
  private listener: ScreenListener | undefined;
  private isShown = false;

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
  ) {
    // `hasColors` knows the terminals, and NO_COLOR.
    this.painting = new Painting(output.hasColors());
  }

  /** The terminal of a command; undefined where there is none, or one that can only write line by line. */
  static of({ stdin, stdout }: Terminal): Screen | undefined {
    if (!(stdin instanceof ReadStream && stdout instanceof WriteStream) || process.env.TERM === 'dumb')
      return undefined;
    return new Screen(stdin, stdout);
  }

  get size(): Size {
    // A terminal of no size, as some say at first, is taken for a usual one.
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 };
  }

  open(listener: ScreenListener): void {
    this.listener = listener;
    // It reads one option of an Interface, and needs no other of it.
    emitKeypressEvents(this.input, { escapeCodeTimeout: ESCAPE_PATIENCE } as unknown as Interface);
    this.input.on('keypress', this.pressed).on('end', this.gone).on('error', this.gone);
    this.output.on('resize', this.stale);
    process.on('exit', this.restore).on('uncaughtExceptionMonitor', this.restore);
    process.on('SIGTSTP', this.stop).on('SIGCONT', this.goOn).on('SIGHUP', this.gone);
    this.show();
    this.input.resume();
  }

  /** Shows lines. While the terminal does not take what was written before, they are left out. */
  draw(lines: readonly Line[]): void {
    if (!this.isShown || this.output.writableNeedDrain) return;
    const text = this.painting.next(lines, this.size.columns);
    if (text !== '') this.output.write(text);
  }

  /** The next lines are drawn as if nothing were there. */
  clear(): void {
    this.painting.forget();
  }

  /** Stops the process as Ctrl-Z does, with whatever runs it; it goes on with SIGCONT. */
  readonly stop = (): void => {
    this.restore();
    process.off('SIGTSTP', this.stop);
    process.kill(0, 'SIGTSTP');
    // Where nobody could let it go on again the system does not stop it.
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

  /** Whatever had the terminal meanwhile may have left it in another mode. */
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
