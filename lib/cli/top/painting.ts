import { displayWidth } from '../display-width.js';
import type { Line, Look } from './frame.js';

const CSI = '\u001b[';

/** What is written before and after a frame: a terminal that knows it shows the frame as a whole, any other ignores it. */
const BEGIN_FRAME = `${CSI}?2026h`;
const END_FRAME = `${CSI}?2026l`;
const CLEAR_SCREEN = `${CSI}2J`;
const CLEAR_LINE = `${CSI}2K`;
const CLEAR_REST = `${CSI}K`;
const PLAIN = `${CSI}m`;

/** How a look is switched on, where the terminal has colours and where not. */
const LOOKS: Readonly<Record<Exclude<Look, 'plain'>, readonly [colour: string, none: string]>> = {
  dim: ['2', '2'],
  bold: ['1', '1'],
  chosen: ['7', '7'],
  title: ['1;4', '1;4'],
  alarm: ['1;31', '1'],
  warning: ['33', ''],
};

const IS_ASCII = /^[\x20-\x7e]*$/;

/** Draws frames by what changed: a line that is as it was is not written again. */
export class Painting {
  private drawn: string[] = [];

  constructor(private readonly hasColours: boolean) {}

  /** What to write to a terminal of so many columns so that it shows this; nothing where it does already. */
  next(lines: readonly Line[], columns: number): string {
    const isFirst = this.drawn.length !== lines.length;
    const before = this.drawn;
    this.drawn = lines.map((line) => painted(line, columns, this.hasColours));
    const changed = this.drawn
      .map((text, index) => (isFirst || text !== before[index] ? `${CSI}${index + 1};1H${text}` : ''))
      .join('');
    if (changed === '') return '';
    return `${BEGIN_FRAME}${isFirst ? CLEAR_SCREEN : ''}${changed}${END_FRAME}`;
  }

  /** The terminal shows something else by now: everything is to be drawn again. */
  forget(): void {
    this.drawn = [];
  }
}

function painted(line: Line, columns: number, hasColours: boolean): string {
  const isAscii = line.every(({ text }) => IS_ASCII.test(text));
  let column = 1;
  let painted = isAscii ? '' : CLEAR_LINE;
  for (const { text, look } of line) {
    const codes = look === 'plain' ? '' : LOOKS[look][hasColours ? 0 : 1];
    // A terminal may take a character for wider than we do: the next column begins at its place all the same.
    const place = isAscii || column === 1 ? '' : `${CSI}${column}G`;
    painted += place + (codes === '' ? text : `${CSI}${codes}m${text}${PLAIN}`);
    column += displayWidth(text);
  }
  // At the end of a full line the cursor stands on its last character, which would be cleared.
  return isAscii && column <= columns ? painted + CLEAR_REST : painted;
}
