import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PageOptions } from '../job-storage.js';
import type { DeadLetter, Death, StoredJob } from '../stored-job.js';
import type { Entry } from './entry.js';
import type { Leasing } from './leasing.js';
import type { LogIndex } from './log-index.js';
import { DEAD, ENDED, ItemReader, JOB } from './record.js';
import type { Segment } from './segment.js';

/** All jobs in pages. */
export async function* jobPages(
  index: LogIndex,
  leasing: Leasing,
  { function: only, pageSize = 1_000 }: PageOptions,
): AsyncGenerator<StoredJob[]> {
  const functionId = only === undefined ? undefined : index.names.find(only)?.id;
  if (only !== undefined && functionId === undefined) return;
  const isWanted = ({ kind, queue }: ItemReader): boolean =>
    kind === JOB && (functionId === undefined || queue >>> 2 === functionId);
  for await (const page of itemPages(index, pageSize, isWanted)) {
    const entries = page.map((item) => leasing.current(item));
    yield entries.filter((entry) => entry?.phase.isQueued).map((entry) => entry!.job);
  }
}

/** An entry as the dead letter it is. */
export function letterOf({ job, past }: Entry): DeadLetter {
  return { job, ...(past as Death) };
}

/** The dead letters in pages, longest dead first. */
export async function* deadPages(
  index: LogIndex,
  leasing: Leasing,
  { function: only, pageSize = 1_000 }: PageOptions,
): AsyncGenerator<DeadLetter[]> {
  let page: DeadLetter[] = [];
  for (const rest = index.dead.copy(); rest.size > 0; rest.pop()) {
    const item = index.read(rest.number);
    const entry = item?.kind === DEAD ? leasing.current(item) : undefined;
    if (entry?.phase.fate !== 'dead' || (only !== undefined && entry.job.function !== only)) continue;
    if (page.push(letterOf(entry)) < pageSize) continue;
    yield page;
    page = [];
    await nextTurn();
  }
  if (page.length > 0) yield page;
}

/** Ended jobs whose time is over, which are no longer remembered after that. */
export function* over(index: LogIndex, leasing: Leasing, now: number): Generator<Entry> {
  const { ended } = index;
  for (; ended.size > 0 && ended.time <= now; ended.pop()) {
    const item = index.read(ended.number);
    const entry = item?.kind === ENDED ? leasing.current(item) : undefined;
    if (entry?.phase.fate === 'ended') yield entry;
  }
}

/** The living items of the log in pages; those that come meanwhile are left out, and everybody has a turn between. */
export async function* itemPages(
  index: LogIndex,
  pageSize: number,
  isWanted: (item: ItemReader) => boolean,
): AsyncGenerator<ItemReader[]> {
  let page: ItemReader[] = [];
  let untilTurn = pageSize;
  const end = index.segments.at(-1)?.next ?? 0;
  let number = index.segments[0]?.first ?? 0;
  for (let segment = segmentFrom(number); segment && number < end; segment = segmentFrom(number)) {
    number = Math.max(number, segment.first);
    const block = segment.blockOf(number);
    const next = Math.min(end, segment.blockNext(block));
    for (; number < next; number++) {
      if (!segment.isAlive(number)) continue;
      const read = index.blockOf(segment, block);
      const item = read.item(number, new ItemReader(read.bytes));
      if (item && isWanted(item)) page.push(item);
      if (--untilTurn > 0 && page.length < pageSize) continue;
      if (page.length === pageSize) {
        yield page;
        page = [];
      }
      untilTurn = pageSize;
      await nextTurn();
    }
  }
  if (page.length > 0) yield page;

  /** The segment that has this item, or the first one behind it. */
  function segmentFrom(first: number): Segment | undefined {
    return index.segments.find((segment) => first < segment.next);
  }
}
