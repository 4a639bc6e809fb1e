import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { follow } from '../state/api.js';
import { isFrozen } from '../state/feed.js';
import { server } from '../state/route.js';
import type { Job } from '../state/job.js';

/** What a search has found, and its progress. */
export interface Search {
  readonly jobs: readonly Job[];
  readonly scanned: number;
  /** About how many jobs have to be looked at. */
  readonly total: number;
  /** Where the next page begins; undefined if this is all. */
  readonly next: string | undefined;
  readonly isOver: boolean;
  readonly error: unknown;
  /** Searches again now. */
  again(): void;
}

type Part = Partial<Pick<Search, 'jobs' | 'scanned' | 'total' | 'next'>>;

const NOTHING = { jobs: [], scanned: 0, total: 0, next: undefined, isOver: false, error: undefined };

/** After how long a search is repeated, in milliseconds; or after {@link PATIENCE} times as long as it took, if that is longer. */
const INTERVAL = 3_000;
const PATIENCE = 10;

/** How many jobs are asked for at once; further ones when the user wants them. */
const PAGE = 200;

/**
 * Searches jobs: each is shown as soon as it is found, and the list is kept up to
 * date. Only one search runs at a time; a new one ends it.
 */
export function useSearch(words: string): Search {
  const held = useSignal<{ key: string } & Omit<Search, 'again'>>({ key: '', ...NOTHING });
  const turn = useSignal(0);
  const key = JSON.stringify([words, server.value]);
  const isStill = isFrozen.value;
  const { value: turns } = turn;
  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      const began = performance.now();
      // What the search before found stays until more is found, or the search is complete.
      const hasOld = held.peek().key === key;
      let found: Omit<Search, 'again'> = NOTHING;
      try {
        const asked = { query: { q: words, limit: PAGE }, signal: gone.signal };
        for await (const { event, data } of follow<Part>('GET', 'jobs', asked)) {
          const jobs = [...found.jobs, ...(data.jobs ?? [])];
          found = { ...found, ...data, jobs, next: data.next, isOver: event === 'end' };
          if (!hasOld || found.isOver) held.value = { key, ...found };
        }
      } catch (error) {
        if (gone.signal.aborted) return;
        held.value = { ...(hasOld ? held.peek() : { key, ...found }), isOver: true, error };
      }
      const pause = Math.max(INTERVAL, (performance.now() - began) * PATIENCE);
      if (!isStill) timer = setTimeout(() => void (document.hidden ? wait() : look()), pause);
    };
    const wait = (): void => {
      timer = setTimeout(() => void (document.hidden ? wait() : look()), INTERVAL);
    };
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, isStill, turns]);
  const { key: heldKey, ...search } = held.value;
  return { ...(heldKey === key ? search : NOTHING), again: () => void turn.value++ };
}
