import { describe, expect, it } from '@jest/globals';
import { FunctionBoard, type SeenFunction } from '../../../lib/web/live/function-board.js';

type Table = Record<string, readonly (number | null)[]>;

function look(board: FunctionBoard<string>, table: Table): void {
  const seen = Object.entries(table).map(([key, values]): SeenFunction<string> => ({ key, values }));
  for (const slices = board.look(seen); !slices.next().done;);
}

function told(board: FunctionBoard<string>, since: number, isWanted = (_: string): boolean => true): object[] {
  return [...board.changes(since, isWanted)].filter((piece) => piece !== '').map((piece) => JSON.parse(`{${piece}}`));
}

const board = (): FunctionBoard<string> => new FunctionBoard((name) => ({ name }));

describe('a board of functions', () => {
  it('tells everything to who has seen nothing: zeros at the end are left out, null stays', () => {
    const one = board();
    look(one, { f: [1, 0, 2, 0, 0], g: [0, 0, 0, 0, 0], h: [0, 0, 0, 0, null] });
    expect(told(one, 0)).toEqual([
      {
        names: [1, 'f', 'g', 'h'],
        rows: [1, [1, 0, 2], [], [0, 0, 0, 0, null]],
        gone: [],
      },
    ]);
  });

  it('tells what has changed since a look, in however many steps', () => {
    const one = board();
    look(one, { f: [1], g: [1] });
    look(one, { f: [2], g: [1] });
    look(one, { f: [3], g: [1], h: [1] });
    expect(told(one, 1)).toEqual([
      {
        names: [3, 'h'],
        rows: [1, [3], 3, [1]],
        gone: [],
      },
    ]);
    expect(told(one, 3)).toEqual([]);
  });

  it('tells what is gone, and gives its number to nobody else', () => {
    const one = board();
    look(one, { f: [1], g: [1] });
    look(one, { g: [1] });
    look(one, { f: [1], g: [1] });
    expect(told(one, 1)).toEqual([{ names: [3, 'f'], rows: [3, [1]], gone: [1] }]);
    expect(told(one, 0)).toMatchObject([{ gone: [] }]);
  });

  it('tells names that are no UTF-8 in base64url as well', () => {
    const one = new FunctionBoard<string>((name) => (name === 'g' ? { name: '\ufffd', name64: '_w' } : { name }));
    look(one, { f: [1], g: [], h: [] });
    expect(told(one, 0)).toEqual([{ names: [1, 'f', ['\ufffd', '_w'], 'h'], rows: [1, [1], [], []], gone: [] }]);
  });

  it('tells of the functions alone that are wanted', () => {
    const one = board();
    look(one, { f: [1], g: [1] });
    expect(told(one, 0, (name) => name === 'g')).toEqual([{ names: [2, 'g'], rows: [2, [1]], gone: [] }]);
  });

  it('tells many functions in pieces', () => {
    const one = board();
    const names = Array.from({ length: 5_000 }, (_, number) => `function-${number}`);
    look(one, Object.fromEntries(names.map((name) => [name, [1]])));
    const pieces = told(one, 0) as { rows: unknown[] }[];
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.flatMap(({ rows }) => rows).filter(Array.isArray)).toHaveLength(5_000);
    // Each begins with a number: one that is read alone is understood.
    for (const { rows } of pieces) expect(rows[0]).toEqual(expect.any(Number));
    for (const piece of pieces) expect(JSON.stringify(piece).length).toBeLessThan(50_000);
  });

  it('remembers a bounded number of those that are gone, and says so', () => {
    const one = board();
    look(one, { f: [1] });
    for (let round = 0; round < 5; round++) {
      look(one, Object.fromEntries(Array.from({ length: 6_000 }, (_, number) => [`${round} ${number}`, [1]])));
    }
    expect([one.remembers(1), one.remembers(one.looks), one.remembers(one.looks + 1)]).toEqual([false, true, false]);
    const [first] = told(one, one.looks - 1) as { gone: number[] }[];
    expect(first!.gone).toHaveLength(6_000);
  });
});
