import { displayWidth } from '../display-width.js';
import type { Line, Look } from './frame.js';

const CSI = '\u001b[';

/** Stands before a frame, and its counterpart behind: a terminal that knows them shows the frame at once, any other ignores them. */
const BEGIN_FRAME = `${CSI}?2026h`;
const END_FRAME = `${CSI}?2026l`;
const CLEAR_SCREEN = `${CSI}2J`;
const CLEAR_LINE = `${CSI}2K`;
const CLEAR_REST = `${CSI}K`;
const PLAIN = `${CSI}m`;

/** The codes that switch a look on, with colours and without. */
const LOOKS: Readonly<Record<Exclude<Look, 'plain'>, readonly [colour: string, none: string]>> = {
  dim: ['2', '2'],
  bold: ['1', '1'],
  chosen: ['7', '7'],
  title: ['1;4', '1;4'],
  alarm: ['1;31', '1'],
  warning: ['33', ''],
};

const IS_ASCII = /^[\x20-\x7e]*$/;

/** Draws only the lines of a frame that have changed. */
export class Painting {
  private drawn: string[] = [];

  constructor(private readonly hasColours: boolean) {}

  /** What to write to a terminal with so many columns so that it shows these lines; empty if it does already. */
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

  /** The terminal may show something else now, so everything is drawn again. */
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
    // The terminal may draw a character wider than we think, so each column is addressed by its position.
    const place = isAscii || column === 1 ? '' : `${CSI}${column}G`;
    painted += place + (codes === '' ? text : `${CSI}${codes}m${text}${PLAIN}`);
    column += displayWidth(text);
  }
  // After a full line the cursor stands on its last character, which clearing the rest would erase.
  return isAscii && column <= columns ? painted + CLEAR_REST : painted;
}
