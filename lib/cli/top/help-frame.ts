import { cut, filled, span, type Line, type Size } from './frame.js';

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['↑ ↓  j k', 'choose a function; PgUp PgDn Home End go further'],
  ['Enter', 'open it: its workers and jobs'],
  ['p', 'pause it, or let it go on; asks first'],
  ['/', 'show only names with a text in them; Esc shows all'],
  ['← →  s', 'sort by another column'],
  ['r', 'the other way round'],
  ['t', 'trouble first again'],
  ['Ctrl-L', 'draw the screen anew'],
  ['q', 'back, or quit; Ctrl-C quits from anywhere'],
];

const TROUBLES: readonly (readonly [trouble: string, what: string])[] = [
  ['no workers', 'jobs wait, and nobody can do them'],
  ['stalled', 'a job runs for 10 minutes, and none ends'],
  ['paused', 'its jobs are held back'],
  ['failing', 'jobs failed for good just now'],
  ['full', 'its queue limit is reached: jobs are refused'],
];

/** The keys and words of `top` as lines of the screen. */
export function helpFrame(size: Size): Line[] {
  const row = ([left, right]: readonly [string, string]): Line => [span(`  ${left.padEnd(12)}`, 'bold'), span(right)];
  const lines: Line[] = [
    [span('Keys', 'bold')],
    ...KEYS.map(row),
    [],
    [span('Trouble, the worst first', 'bold')],
    ...TROUBLES.map(row),
    [],
    [span('What a job server does not tell is blank: gearmand tells no ages and rates.', 'dim')],
  ];
  const foot: Line = [span('Any key goes back', 'dim')];
  return [...filled(lines, size.rows - 1), foot].slice(-size.rows).map((line) => cut(line, size.columns));
}
