import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from './api.js';
import { functionNamed, isFrozen } from './feed.js';
import type { FunctionRow } from './function-row.js';
import { isRemote } from './me.js';
import { base64url } from './readable.js';
import { server } from './route.js';

/** How many jobs ended in each minute of the last hour, oldest first. */
export interface Spark {
  readonly completed: readonly number[];
  readonly failed: readonly number[];
}

/** The last hour of each function, by its number in the stream. */
export const sparks = signal<ReadonlyMap<number, Spark>>(new Map());

/** How often the visible functions are asked for again, in milliseconds. */
const INTERVAL = 30_000;

/** How long rows must be visible before they are asked for, in milliseconds: not while somebody scrolls past. */
const PAUSE = 250;

/** The longest query of one request, in characters: a server accepts 16 kB of headers. */
const MAX_QUERY = 6_000;

/** The most functions of one request. */
const MAX_FUNCTIONS = 100;

interface Answer {
  readonly functions: readonly { readonly name: string; readonly name64?: string; readonly series: Spark }[];
}

/** Keeps the last hour of these functions up to date. A function that has had no job since the job server started is not asked for. */
export function useSparks(rows: readonly FunctionRow[]): void {
  const wanted = rows.filter((row) => (row.get('submitted') ?? 0) > 0);
  const isAsked = !isRemote.value && !isFrozen.value;
  useEffect(() => {
    if (!isAsked || wanted.length === 0) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (!document.hidden) await askFor(wanted, gone.signal).catch(() => undefined);
      if (!gone.signal.aborted) timer = setTimeout(() => void look(), INTERVAL);
    };
    timer = setTimeout(() => void look(), PAUSE);
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [isAsked, server.value, wanted.map(({ id }) => id).join()]);
}

async function askFor(rows: readonly FunctionRow[], signal: AbortSignal): Promise<void> {
  const found = new Map<number, Spark>();
  for (const names of inParts(rows.map(({ name, name64 }) => name64 ?? base64url(name)))) {
    const query = { resolution: '1min', series: 'completed,failed', function64: names };
    const { functions } = await ask<Answer>('GET', 'history', { query, signal });
    for (const { name, name64, series } of functions) {
      const row = functionNamed(name, name64);
      if (row) found.set(row.id, series);
    }
  }
  sparks.value = found;
}

function* inParts(names: readonly string[]): Generator<string[], void> {
  let part: string[] = [];
  let length = 0;
  for (const name of names) {
    if (part.length === MAX_FUNCTIONS || (part.length > 0 && length + name.length > MAX_QUERY)) {
      yield part;
      [part, length] = [[], 0];
    }
    part.push(name);
    length += name.length + 12;
  }
  if (part.length > 0) yield part;
}
