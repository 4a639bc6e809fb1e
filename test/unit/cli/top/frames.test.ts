import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth } from '../../../../lib/cli/display-width.js';
import { textOf, type Line, type Size } from '../../../../lib/cli/top/frame.js';
import { functionFrame } from '../../../../lib/cli/top/function-frame.js';
import { helpFrame } from '../../../../lib/cli/top/help-frame.js';
import { listFrame } from '../../../../lib/cli/top/list-frame.js';
import { Painting } from '../../../../lib/cli/top/painting.js';
import { withProblem, type Watched } from '../../../../lib/cli/top/readings.js';
import { rowsOf } from '../../../../lib/cli/top/rows.js';
import { FIRST_VIEW, keyOf, press, type Key, type View } from '../../../../lib/cli/top/view.js';
import { activity, overview, reading, watched } from './top-scene.js';
import { runs } from '../../../support/runs.js';

const clock = '12:00:00';

const FUNCTIONS = [
  overview('reverse', { running: 2, workers: 3 }),
  overview('画像🦄', { normal: 3, workers: 0 }),
  overview('a-name-that-is-far-too-long-for-its-column', { isPaused: true }),
];

const OURS = watched(
  '127.0.0.1:4730',
  reading(
    0,
    FUNCTIONS,
    FUNCTIONS.map((row) => activity(row.function)),
  ),
  reading(2_000, FUNCTIONS, [
    activity('reverse', { longestRunning: 1_500, submitted: 25, completed: 24 }),
    activity('画像🦄', { oldestWaiting: 303_000 }),
    activity(FUNCTIONS[2]!.function),
  ]),
);

function list(size: Size, view: Partial<View> = {}, servers: readonly Watched[] = [OURS]): string[] {
  const contents = { watched: servers, rows: rowsOf(servers), view: { ...FIRST_VIEW, ...view }, clock };
  return listFrame(contents, size).map(textOf);
}

describe('the list', () => {
  it('has what is in trouble first, on a screen of 80 columns', () => {
    expect(list({ columns: 80, rows: 8 })).toEqual([
      'nestjs-gearman top  127.0.0.1:4730                                      12:00:00',
      '2 in trouble  3 waiting  2 running  12.5 in/s  12.0 done/s  3 functions',
      'FUNCTION            TROUBLE▲    WAITING  RUNNING  WORKERS  OLDEST   IN/S  DONE/S',
      '画像🦄              no workers        3        0        0   5m03s      0       0',
      'a-name-that-is-fa…  paused            0        0        1              0       0',
      'reverse                               0        2        3           12.5    12.0',
      '',
      '1/3  q quit  ? help  ↑↓ choose  Enter open  / filter  ←→ sort  p pause',
    ]);
  });

  it('has the first columns where there are 40', () => {
    expect(list({ columns: 40, rows: 6 }).slice(2, 5)).toEqual([
      'FUNCTION             TROUBLE▲    WAITING',
      '画像🦄               no workers        3',
      'a-name-that-is-far…  paused            0',
    ]);
  });

  it('has all columns and whole names where there are 200', () => {
    const lines = list({ columns: 200, rows: 8 });
    expect(lines[2]).toMatch(/^FUNCTION +TROUBLE▲ .* FAILED\/S {2}DELAYED {2}LONGEST$/);
    expect(lines[4]).toMatch(/^a-name-that-is-far-too-long-for-its-column {2}paused /);
    expect(lines[5]).toMatch(/^reverse .* 1s$/);
  });

  it('leaves blank what gearmand does not tell', () => {
    const foreign = { delayed: undefined, isPaused: undefined, limits: undefined };
    const gearmand = watched('a:1', reading(0, [overview('f', { normal: 1, ...foreign })]));
    const lines = list({ columns: 120, rows: 6 }, {}, [gearmand]);
    expect(lines[1]).toBe('1 waiting  0 running  1 function');
    expect(lines[3]).toMatch(/^f +1 +0 +1$/);
  });

  it('tells which job server does not answer, and of which a row is', () => {
    const servers = [OURS, withProblem(OURS, 'b:1 cannot be reached: ECONNREFUSED')];
    const lines = list({ columns: 100, rows: 9 }, {}, servers);
    expect(lines[0]).toMatch(/^nestjs-gearman top {2}2 job servers/);
    expect(lines[2]).toBe('! b:1 cannot be reached: ECONNREFUSED');
    expect(lines[4]).toMatch(/^画像🦄 +no workers +3 {2}127\.0\.0\.1:4730/);
  });

  it('shows the chosen row, wherever it is', () => {
    const many = watched(
      'a',
      reading(
        0,
        Array.from({ length: 100 }, (_, index) => overview(`f${100 + index}`)),
      ),
    );
    const view = { sort: 'name' as const, chosen: keyOf({ server: 'a', function: 'f150' }) };
    const lines = list({ columns: 80, rows: 9 }, view, [many]);
    expect(lines.slice(3, 8).map((line) => line.slice(0, 4))).toEqual(['f148', 'f149', 'f150', 'f151', 'f152']);
    expect(lines.at(-1)).toMatch(/^51\/100 /);
  });

  it.each([
    [{ filter: 'none' }, [OURS], /^No function has none in its name/],
    [{}, [watched('a')], /^Asking…/],
    [{}, [withProblem(OURS, 'gone')], /^No job server answers/],
    [{}, [watched('a', reading(0, []))], /^No functions yet/],
  ])('says why it is empty: %j', (view, servers, text) => {
    expect(list({ columns: 80, rows: 8 }, view, servers).some((line) => text.test(line))).toBe(true);
  });
});

describe('the page of a function', () => {
  const row = rowsOf([OURS])[0]!;
  const job = { handle: 'H:box:1', priority: 'high' as const, isBackground: true, age: 2_500, losses: 1, attempts: 1 };
  const running = { ...job, isRunning: true, numerator: 1, denominator: 3, worker: 'w1' };
  const waiting = { ...job, handle: 'H:box:2', isRunning: false, numerator: 0, denominator: 0, worker: undefined };
  const worker = { descriptor: 1, address: '10.0.0.1', clientId: 'w1', functions: ['reverse', 'x'] };

  it('has its jobs and workers', () => {
    const details = { workers: [worker], jobs: [running, waiting] };
    const lines = functionFrame({ row, details, view: FIRST_VIEW, clock }, { columns: 100, rows: 12 }).map(textOf);
    expect(lines.slice(3, 9)).toEqual([
      'HANDLE                      STATE       FOR  PRIORITY  PROGRESS  RETRIES  WORKER        BACKGROUND',
      'H:box:1                     running      2s  high           33%        2  w1            yes',
      'H:box:2                     waiting      2s  high                      2                yes',
      '',
      'WORKER              ADDRESS               FUNCTIONS',
      'w1                  10.0.0.1                      2',
    ]);
  });

  it('says where jobs are that the job server does not list, as they are in its storage only', () => {
    const stored = rowsOf([watched('jobs-1:4730', reading(0, [overview('mail', { normal: 200 })]))])[0]!;
    const details = { workers: [], jobs: [] };
    const size = { columns: 80, rows: 12 };
    const lines = functionFrame({ row: stored, details, view: FIRST_VIEW, clock }, size).map(textOf);
    expect(lines).toContain('No jobs in memory, 200 in the storage.');
  });

  it('says that gearmand tells no jobs, and that nobody can do it', () => {
    const details = { workers: [], jobs: undefined };
    const lines = functionFrame({ row, details, view: FIRST_VIEW, clock }, { columns: 80, rows: 12 }).map(textOf);
    expect(lines).toContain('This job server does not tell which jobs are whose.');
    expect(lines).toContain('No worker can do it.');
  });
});

describe('every frame', () => {
  it('has as many lines as the screen, none wider', () => {
    const size = fc.record({ columns: fc.integer({ min: 1, max: 220 }), rows: fc.integer({ min: 1, max: 60 }) });
    const row = rowsOf([OURS])[1]!;
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 50 }), (screen, scrolled) => {
        const view = { ...FIRST_VIEW, scrolled };
        const servers = [OURS, withProblem(OURS, 'b:1 cannot be reached')];
        const frames: Line[][] = [
          listFrame({ watched: servers, rows: rowsOf(servers), view, clock }, screen),
          functionFrame({ row, details: { workers: [], jobs: [] }, view, clock }, screen),
          functionFrame({ row: undefined, details: undefined, view, clock }, screen),
          helpFrame(screen),
        ];
        for (const frame of frames) {
          expect(frame).toHaveLength(screen.rows);
          const widths = frame.map((line) => line.reduce((sum, { text }) => sum + displayWidth(text), 0));
          expect(Math.max(...widths)).toBeLessThanOrEqual(screen.columns);
        }
      }),
      runs(50),
    );
  });
});

describe('painting', () => {
  const line = (text: string): Line => [{ text, look: 'plain' }];

  it('writes what changed alone, as one frame', () => {
    const painting = new Painting(false);
    expect(painting.next([line('a'), line('b')], 10)).toBe(
      '\u001b[?2026h\u001b[2J\u001b[1;1Ha\u001b[K\u001b[2;1Hb\u001b[K\u001b[?2026l',
    );
    expect(painting.next([line('a'), line('c')], 10)).toBe('\u001b[?2026h\u001b[2;1Hc\u001b[K\u001b[?2026l');
    expect(painting.next([line('a'), line('c')], 10)).toBe('');
    painting.forget();
    expect(painting.next([line('a')], 10)).toContain('\u001b[1;1Ha');
  });

  it('clears nothing behind a full line, whose end would be lost', () => {
    expect(new Painting(false).next([line('abc')], 3)).toMatch(/abc\u001b\[\?2026l$/);
  });

  it('puts each column at its place where a terminal may think otherwise of a width', () => {
    const wide: Line = [...line('画  '), { text: 'x', look: 'plain' }];
    expect(new Painting(false).next([wide], 80)).toContain('\u001b[1;1H\u001b[2K画  \u001b[5Gx');
  });

  it('has colours only where the terminal has', () => {
    const alarm: Line = [{ text: 'x', look: 'alarm' }];
    expect(new Painting(true).next([alarm], 80)).toContain('\u001b[1;31mx\u001b[m');
    expect(new Painting(false).next([alarm], 80)).toContain('\u001b[1mx\u001b[m');
  });
});

describe('keys', () => {
  const rows = rowsOf([OURS]);
  const key = (name: string, text = ''): Key => ({ name, text });
  const after = (...keys: Key[]): View => keys.reduce((view, one) => press(view, one, rows, 5).view, FIRST_VIEW);
  const down = key('down');
  const p = key('p', 'p');

  it('choose a row, which stays chosen when the order changes', () => {
    const second = keyOf({ server: OURS.server, function: FUNCTIONS[2]!.function });
    expect(after(down).chosen).toBe(second);
    expect(after(down, key('right')).chosen).toBe(second);
    expect(after(down, down, down, down).chosen).toBe(keyOf({ server: OURS.server, function: 'reverse' }));
    expect(after(down, key('home')).chosen).toBe(keyOf({ server: OURS.server, function: '画像🦄' }));
  });

  it('sort by the next column, the other way, and by trouble again', () => {
    expect(after(key('right'), key('right'))).toMatchObject({ sort: 'waiting', isReversed: false });
    expect(after(key('left'), key('r', 'r'))).toMatchObject({ sort: 'longest', isReversed: true });
    expect(after(key('left'), key('r', 'r'), key('t', 't'))).toMatchObject({ sort: 'trouble', isReversed: false });
  });

  it('pause once the person says yes, and nothing else is yes', () => {
    const asked = after(p);
    expect(asked.asked?.name).toBe('画像🦄');
    expect(press(asked, key('y', 'y'), rows, 5).wish).toMatchObject({ kind: 'pause', row: { name: '画像🦄' } });
    for (const no of [key('n', 'n'), key('return'), key('escape'), p]) {
      const pressed = press(asked, no, rows, 5);
      expect([pressed.wish, pressed.view.asked]).toEqual([undefined, undefined]);
    }
    expect(press(after(down, p), key('y', 'y'), rows, 5).wish).toMatchObject({ kind: 'resume' });
  });

  it('do not pause at gearmand, and say why', () => {
    const gearmand = rowsOf([watched('a:1', reading(0, [overview('f', { isPaused: undefined })]))]);
    const { view } = press(FIRST_VIEW, p, gearmand, 5);
    expect([view.asked, view.message]).toEqual([undefined, 'a:1 cannot hold a function back: it is none of ours.']);
  });

  it('type a filter, in which letters are letters', () => {
    const typing = after(key('', '/'), key('q', 'q'), p, key('', '画'));
    expect(typing).toMatchObject({ filter: 'qp画', isTyping: true });
    expect(press(typing, key('backspace'), rows, 5).view.filter).toBe('qp');
    expect(press(typing, key('return'), rows, 5).view).toMatchObject({ filter: 'qp画', isTyping: false });
    expect(press(typing, key('escape'), rows, 5).view).toMatchObject({ filter: '', isTyping: false });
    expect(press(typing, key('x', 'x'.repeat(1_000)), rows, 5).view.filter).toHaveLength(100);
  });

  it('open a function and go back, and quit from the list, by Ctrl-C from anywhere', () => {
    const open = after(key('return'));
    expect(open.page).toBe('function');
    expect(press(open, key('q', 'q'), rows, 5)).toMatchObject({ view: { page: 'list' } });
    expect(press(open, key('q', 'q'), rows, 5).wish).toBeUndefined();
    expect(press(FIRST_VIEW, key('q', 'q'), rows, 5).wish).toEqual({ kind: 'quit' });
    for (const view of [open, after(p), after(key('', '/')), after(key('', '?'))]) {
      expect(press(view, key('ctrl-c'), rows, 5).wish).toEqual({ kind: 'quit' });
    }
    expect(press(after(key('', '?')), key('q', 'q'), rows, 5).view.page).toBe('list');
  });
});
