import { batch, effect, signal } from '@preact/signals';
import { addressOf, ask, Problem } from './api.js';
import { FunctionRow, type Column } from './function-row.js';
import { server as serverName } from './route.js';

/** The state of the job server itself. */
export interface ServerState {
  readonly version?: string;
  readonly isEnding?: boolean | null;
  readonly storageTrouble?: string;
  /** Why a job server elsewhere does not answer. */
  readonly trouble?: string;
  readonly functions?: number;
  readonly jobs?: number;
  readonly running?: number;
  readonly connections?: number;
  readonly workers?: number;
  readonly clientsWaiting?: number;
  readonly eventLoopDelaySeconds?: number;
}

/** The state of the stream of changes. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'paused' }
  | { readonly state: 'lost'; readonly since: number; readonly why: string };

export const connection = signal<Connection>({ state: 'connecting' });
export const serverState = signal<ServerState>({});
/** Whether the space key has stopped updates, so that the page can be read. */
export const isFrozen = signal(false);
/** Grows with each change of {@link functions}, and each second. */
export const changes = signal(0);
/** Grows when functions come, go, or change their weight: the order by weight is then out of date. */
export const reorderings = signal(0);
/** Whether all functions have been received once. */
export const isComplete = signal(false);

/** How many jobs of all functions wait for a worker, and how many for their time. */
export const backlog = signal({ waiting: 0, delayed: 0 });

/** The functions, by their number in the stream. The map changes in place; {@link changes} tells when. */
export const functions = new Map<number, FunctionRow>();

/** How long after a lost stream a new one is opened, in milliseconds. */
const RETRY = 2_000;

/** A list in which a number is that of the function whose item follows; the items behind it have the next numbers. */
type Numbered<Item> = readonly (number | Item)[];

interface Told {
  readonly reset?: boolean;
  readonly more?: boolean;
  readonly names: Numbered<string | readonly [name: string, name64: string]>;
  readonly rows: Numbered<readonly (number | null)[]>;
  readonly gone: readonly number[];
}

let source: EventSource | undefined;
let lastId: string | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
/** The job server's clocks when its stream began, and when that was on a clock here that nobody sets. */
let clocks = { now: 0, date: Date.now(), heard: performance.now() };
let columns: Readonly<Record<Column, number>> | undefined;
/** Rows whose state may change only because time passes. */
const restless = new Set<FunctionRow>();
/** Whether the order changed since the last complete update, which may come in several parts. */
let isReordered = false;
let byName = new Map<string, FunctionRow>();

/** The job server's clock, in the milliseconds that rows use. */
export function now(): number {
  return Math.round(clocks.now + performance.now() - clocks.heard);
}

/** The date at the job server, in milliseconds since 1970; the clock of this machine may be wrong. */
export function dateThere(): number {
  return clocks.date + performance.now() - clocks.heard;
}

export function functionNamed(name: string, name64?: string): FunctionRow | undefined {
  return byName.get(name64 ?? `=${name}`);
}

/** Follows the job server while the page is visible, with one stream for the whole page. */
export function follow(): void {
  let followed: string | undefined | null = null;
  effect(() => {
    const name = serverName.value;
    if (followed !== null && followed !== name) forget();
    followed = name;
    if (isFrozen.value) stop({ state: 'paused' });
    else open();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) stop({ state: 'paused' });
    else if (!isFrozen.value) open();
  });
  setInterval(() => {
    if (isFrozen.value || document.hidden) return;
    let isReordered = false;
    for (const row of restless) {
      const { weight } = row;
      if (!row.judge(now())) restless.delete(row);
      isReordered ||= row.weight !== weight;
    }
    batch(() => {
      if (isReordered) reorderings.value++;
      changes.value++;
    });
  }, 1_000);
}

function open(): void {
  stop(connection.peek().state === 'lost' ? connection.peek() : { state: 'connecting' });
  const stream = new EventSource(addressOf('events', { topics: 'functions,server', lastEventId: lastId }));
  source = stream;
  const on = <Data>(name: string, heard: (data: Data) => void): void =>
    stream.addEventListener(name, (event) => {
      if (source !== stream) return;
      heard(JSON.parse(event.data as string) as Data);
      if (event.lastEventId !== '') lastId = event.lastEventId;
    });
  on<{ now: number; at: string; columns: readonly Column[] }>('hello', (hello) => {
    clocks = { now: hello.now, date: Date.parse(hello.at), heard: performance.now() };
    columns = Object.fromEntries(hello.columns.map((name, index) => [name, index])) as Record<Column, number>;
    connection.value = { state: 'live' };
  });
  on<ServerState>('server', (state) => (serverState.value = state));
  on<Told>('functions', take);
  stream.onerror = () => {
    if (source !== stream) return;
    // The browser reconnects by itself after a lost connection, but never after an answer that refused the stream.
    lose('The job server does not answer.');
    if (stream.readyState === EventSource.CLOSED) void tellWhy();
  };
}

function stop(state: Connection): void {
  clearTimeout(retry);
  source?.close();
  source = undefined;
  connection.value = state;
}

function lose(why: string): void {
  const last = connection.peek();
  connection.value = { state: 'lost', since: last.state === 'lost' ? last.since : Date.now(), why };
}

async function tellWhy(): Promise<void> {
  try {
    await ask('GET', 'server');
  } catch (error) {
    if (error instanceof Problem && error.status > 0) lose(error.message);
  }
  retry = setTimeout(open, RETRY);
}

function forget(): void {
  functions.clear();
  byName = new Map();
  restless.clear();
  lastId = undefined;
  isComplete.value = false;
  backlog.value = { waiting: 0, delayed: 0 };
  serverState.value = {};
}

function* numbered<Item>(list: Numbered<Item>): Generator<readonly [id: number, item: Item], void> {
  let id = 0;
  for (const each of list) {
    if (typeof each === 'number') id = each;
    else yield [id++, each];
  }
}

function take({ reset, more, names, rows, gone }: Told): void {
  if (reset) {
    functions.clear();
    byName.clear();
    restless.clear();
  }
  isReordered ||= names.length > 0 || gone.length > 0;
  for (const [id, named] of numbered(names)) {
    const [name, name64] = typeof named === 'string' ? [named] : named;
    const row = new FunctionRow(id, name, name64, columns!);
    functions.set(id, row);
    byName.set(name64 ?? `=${name}`, row);
  }
  const time = now();
  let { waiting, delayed } = reset ? { waiting: 0, delayed: 0 } : backlog.peek();
  const count = (row: FunctionRow, sign: 1 | -1): void => {
    waiting += sign * row.waiting;
    delayed += sign * (row.get('delayed') ?? 0);
  };
  for (const [id, numbers] of numbered(rows)) {
    const row = functions.get(id);
    if (!row) continue;
    const { weight } = row;
    count(row, -1);
    row.see(numbers, time);
    count(row, 1);
    if (row.isRestless) restless.add(row);
    isReordered ||= row.weight !== weight;
  }
  for (const id of gone) {
    const row = functions.get(id);
    if (!row) continue;
    count(row, -1);
    functions.delete(id);
    restless.delete(row);
    if (functionNamed(row.name, row.name64) === row) byName.delete(row.name64 ?? `=${row.name}`);
  }
  batch(() => {
    const before = backlog.peek();
    if (before.waiting !== waiting || before.delayed !== delayed) backlog.value = { waiting, delayed };
    if (more) return;
    isComplete.value = true;
    if (isReordered) reorderings.value++;
    isReordered = false;
    changes.value++;
  });
}
