import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, type Asked } from '../state/api.js';
import { isFrozen } from '../state/feed.js';
import { server } from '../state/route.js';

/** The last answer of the API. */
export interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  /** Asks again now. */
  again(): void;
}

/**
 * Asks the API for something, and again at an interval while the page is visible.
 * The last answer stays while it asks again, and also if that fails.
 *
 * @param path undefined: nothing is asked.
 * @param interval in milliseconds; 0: once.
 */
export function useAnswer<Data>(path: string | undefined, query: Asked['query'] = {}, interval = 0): Answer<Data> {
  const held = useSignal<{ key: string; data?: Data; error?: unknown }>({ key: '' });
  const turn = useSignal(0);
  const key = JSON.stringify([path, query, server.value]);
  const isStill = isFrozen.value;
  const { value: turns } = turn;
  useEffect(() => {
    if (path === undefined) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const keep = (answer: { data?: Data; error?: unknown }): void => {
      if (gone.signal.aborted) return;
      const before = held.peek();
      const data = answer.data ?? (before.key === key ? before.data : undefined);
      held.value = { key, ...(data !== undefined && { data }), ...('error' in answer && { error: answer.error }) };
    };
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        await ask<Data>('GET', path, { query, signal: gone.signal }).then(
          (data) => keep({ data }),
          (error: unknown) => keep({ error }),
        );
      }
      if (interval > 0 && !gone.signal.aborted && !isStill) timer = setTimeout(() => void look(), interval);
    };
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, interval, isStill, turns]);
  const { key: heldKey, data, error } = held.value;
  const again = (): void => void turn.value++;
  if (heldKey !== key) return { again };
  return { again, ...(data !== undefined && { data }), ...(error !== undefined && { error }) };
}
