import { filtered, sorted, SORTS, type Row, type Sort } from './rows.js';

/** Identifies a row, wherever it stands: the function of a job server. */
export type RowKey = string;

export function keyOf({ server, function: name }: Pick<Row, 'server' | 'function'>): RowKey {
  return `${server}\n${name}`;
}

/** What the screen shows: the list, one function, or the keys. */
export type Page = 'list' | 'function' | 'help';

/** What a person has chosen to see. Only {@link press} and {@link answered} change it. */
export interface View {
  readonly page: Page;
  readonly sort: Sort;
  readonly isReversed: boolean;
  readonly filter: string;
  /** True while the person types the filter. */
  readonly isTyping: boolean;
  /** The chosen row; undefined means the first one, whichever that is. */
  readonly chosen: RowKey | undefined;
  /** The function to be paused or resumed as soon as the person says yes. */
  readonly asked: Row | undefined;
  /** The outcome of the last action. */
  readonly message: string;
  /** How many lines of a function's page are above the visible part. */
  readonly scrolled: number;
}

export const FIRST_VIEW: View = {
  page: 'list',
  sort: 'trouble',
  isReversed: false,
  filter: '',
  isTyping: false,
  chosen: undefined,
  asked: undefined,
  message: '',
  scrolled: 0,
};

/** A key: its name if it has one, otherwise the text it types. */
export interface Key {
  readonly name: string;
  readonly text: string;
}

/** What has to be done in addition to showing something else. */
export type Wish =
  | { readonly kind: 'quit' | 'suspend' | 'redraw' | 'read' }
  | { readonly kind: 'pause' | 'resume'; readonly row: Row };

export interface Pressed {
  readonly view: View;
  readonly wish?: Wish;
}

/** How many characters a filter has at most. */
const MAX_FILTER = 100;

/** The rows of the list, in order. */
export function listed(view: View, rows: readonly Row[]): Row[] {
  return sorted(filtered(rows, view.filter), view.sort, view.isReversed);
}

/** The index of the chosen row; the first if it is not in the list. */
export function chosenIndex({ chosen }: View, list: readonly Row[]): number {
  return Math.max(
    0,
    list.findIndex((row) => keyOf(row) === chosen),
  );
}

/** The view after an action: `message` is its outcome. */
export function answered(view: View, message: string): View {
  return { ...view, message };
}

/** What a key does. @param pageLines how many rows fit on the screen. */
export function press(before: View, key: Key, rows: readonly Row[], pageLines: number): Pressed {
  if (key.name === 'ctrl-c') return { view: before, wish: { kind: 'quit' } };
  if (key.name === 'ctrl-z') return { view: before, wish: { kind: 'suspend' } };
  if (key.name === 'ctrl-l') return { view: before, wish: { kind: 'redraw' } };
  const view = { ...before, message: '' };
  if (view.asked) return pressAsked(view, key, view.asked);
  if (view.isTyping) return { view: pressTyping(view, key) };
  if (view.page === 'help') return { view: { ...view, page: 'list' } };
  if (key.text === 'q' && view.page === 'list') return { view, wish: { kind: 'quit' } };
  if (key.text === '?' || key.text === 'h') return { view: { ...view, page: 'help', scrolled: 0 } };
  if (key.text === 'p') return { view: askToPause(view, rows) };
  return view.page === 'function'
    ? { view: pressFunction(view, key, pageLines) }
    : pressList(view, key, rows, pageLines);
}

/** The answer to the question: only `y` is yes. */
function pressAsked(view: View, key: Key, asked: Row): Pressed {
  const left = { ...view, asked: undefined };
  if (key.text !== 'y' && key.text !== 'Y') return { view: answered(left, 'Nothing was changed.') };
  return { view: left, wish: { kind: asked.isPaused ? 'resume' : 'pause', row: asked } };
}

function askToPause(view: View, rows: readonly Row[]): View {
  const list = listed(view, rows);
  const row = list[chosenIndex(view, list)];
  if (!row) return view;
  if (row.isPaused === undefined)
    return answered(view, `${row.server} cannot hold a function back: it is none of ours.`);
  return { ...view, chosen: keyOf(row), asked: row };
}

function pressTyping(view: View, key: Key): View {
  switch (key.name) {
    case 'return':
      return { ...view, isTyping: false };
    case 'escape':
      return { ...view, isTyping: false, filter: '' };
    case 'backspace':
      return { ...view, filter: [...view.filter].slice(0, -1).join('') };
    case 'ctrl-u':
      return { ...view, filter: '' };
    default:
      // Typed or pasted text. Names are searched in their escaped form, so it is text of one line.
      return { ...view, filter: [...(view.filter + key.text)].slice(0, MAX_FILTER).join('') };
  }
}

function pressFunction(view: View, key: Key, pageLines: number): View {
  const by: Partial<Record<string, number>> = { up: -1, down: 1, pageup: -pageLines, pagedown: pageLines };
  const step = by[key.name] ?? by[VI_KEYS[key.text] ?? ''];
  if (step !== undefined) return { ...view, scrolled: Math.max(0, view.scrolled + step) };
  if (key.name === 'home') return { ...view, scrolled: 0 };
  const isBack = key.text === 'q' || ['escape', 'left', 'backspace', 'return'].includes(key.name);
  return isBack ? { ...view, page: 'list', scrolled: 0 } : view;
}

/** Keys of `less` and `vi`, for those who are used to them. */
const VI_KEYS: Readonly<Record<string, string>> = {
  j: 'down',
  k: 'up',
  g: 'home',
  G: 'end',
  ' ': 'pagedown',
  b: 'pageup',
};

function pressList(view: View, key: Key, rows: readonly Row[], pageLines: number): Pressed {
  const list = listed(view, rows);
  const index = chosenIndex(view, list);
  const choose = (next: number): Pressed => {
    const row = list[Math.min(Math.max(0, next), list.length - 1)];
    return { view: row ? { ...view, chosen: keyOf(row) } : view };
  };
  switch (VI_KEYS[key.text] ?? key.name) {
    case 'up':
      return choose(index - 1);
    case 'down':
      return choose(index + 1);
    case 'pageup':
      return choose(index - pageLines);
    case 'pagedown':
      return choose(index + pageLines);
    case 'home':
      return choose(0);
    case 'end':
      return choose(list.length - 1);
    case 'left':
      return { view: sortBy(view, -1) };
    case 'right':
      return { view: sortBy(view, 1) };
    case 'escape':
      return { view: { ...view, filter: '' } };
    case 'return': {
      const row = list[index];
      if (!row) return { view };
      return { view: { ...view, page: 'function', chosen: keyOf(row), scrolled: 0 }, wish: { kind: 'read' } };
    }
  }
  return { view: pressLetter(view, key.text) };
}

function pressLetter(view: View, letter: string): View {
  switch (letter) {
    case '/':
      return { ...view, isTyping: true };
    case 's':
      return sortBy(view, 1);
    case 'r':
      return { ...view, isReversed: !view.isReversed };
    case 't':
      return { ...view, sort: 'trouble', isReversed: false };
    default:
      return view;
  }
}

function sortBy(view: View, step: 1 | -1): View {
  const next = (SORTS.indexOf(view.sort) + step + SORTS.length) % SORTS.length;
  return { ...view, sort: SORTS[next]!, isReversed: false };
}
