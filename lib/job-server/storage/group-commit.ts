import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StorageError } from './storage-error.js';
import { StorageWrites } from './storage-health.js';

/** What a {@link GroupCommit} writes. */
export interface Change {
  /** Roughly how much is written, in bytes; it does not change. */
  readonly bytes: number;
  /**
   * Its place in the line of waiting changes, which only that line sets; missing, or below 0,
   * while it does not wait.
   */
  waitsAt?: number;
}

/** Who makes the writes of a {@link GroupCommit}. */
export interface CommitHost<Item extends Change> {
  /** Writes all of them or none; resolves when they are durable, rejects with a {@link StorageError}. */
  write(items: readonly Item[]): Promise<void>;
  /** They are durable: tells whoever waits for that. Resolves when more can be written; must not reject. */
  settled(items: readonly Item[]): Promise<void>;
  /** They could not be written. Answers those that must be tried again until they can. */
  failed(items: readonly Item[], error: StorageError): readonly Item[];
  /** They will never be written: the group commit was stopped. */
  dropped(items: readonly Item[]): void;
  /** Writing fails, or fails for another reason; with `undefined`: it works again. */
  trouble(error: StorageError | undefined): void;
}

/** A batch ends with so many items, or so many bytes: what it writes stays in memory until it is durable. */
const MAX_BATCH_ITEMS = 4_096;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** After a batch of so many the event loop has a turn before the next batch: each of the two takes milliseconds. */
const MANY_ITEMS = 1_000;

/** So much may wait before {@link GroupCommit.isBehind}. */
const MAX_WAITING_ITEMS = 8 * MAX_BATCH_ITEMS;
const MAX_WAITING_BYTES = 4 * MAX_BATCH_BYTES;

/** How long after a failure what must be written is tried again, in milliseconds. */
const RETRY_DELAY = 500;

/**
 * A write does not wait for more company than this: syncing takes about as long
 * as hearing a hundred submitters, so with more it is better to do both at once.
 */
const ENOUGH_COMPANY = 100;

/** The least time a write waits for company, in milliseconds: timers know nothing shorter. */
const MIN_GATHERING = 1;

/** How long after a write those that were told of it are expected to come again, in milliseconds. */
const EXPECTATION = 100;

/**
 * Many changes, one write: what comes while a write is made waits for the next.
 *
 *   mark --> fresh --write--> durable
 *              |      |
 *            unmark   +--failed--> given up, or kept --retry--> durable
 *
 * A change that somebody waits for is urgent: it is written as soon as the event
 * loop has read what there was to read, or a little later. Submitters that were
 * told of the last write are likely to come again at once: the next write waits
 * for them, at most half the time that the last one took. Otherwise a few
 * submitters would fall into two halves that wait for each other's writes. Any
 * other change waits up to `lazyDelay` for company. What is kept after a failure
 * is written apart from what is new, so that ends of jobs can be written where
 * new jobs cannot (a full disk has room for the first only), and fewer and fewer
 * at once.
 */
export class GroupCommit<Item extends Change> {
  readonly writes = new StorageWrites();
  private readonly fresh = new Line<Item | Flusher>();
  private readonly kept = new Set<Item>();
  /** How many of these are tried at once. */
  private keptLimit = MAX_BATCH_ITEMS;
  /** How many of the fresh changes are urgent. */
  private urgent = 0;
  /** How many of those that are being written are. */
  private urgentWriting = 0;
  /** With how many urgent changes the next write begins at once, and until when it waits for them. */
  private expected = 0;
  private gatherUntil = 0;
  private expectedUntil = 0;
  private gathered: (() => void) | undefined;
  private isUrgent = false;
  private isRetryDue = false;
  private timer: NodeJS.Timeout | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private readonly behind: (() => void)[] = [];
  private failure: { readonly error: StorageError; readonly ofFresh: boolean } | undefined;

  constructor(
    private readonly host: CommitHost<Item>,
    /** How long a change that is not urgent may wait, in milliseconds. */
    private readonly lazyDelay: number,
  ) {}

  /** True when so much waits that who adds more should wait too. */
  get isBehind(): boolean {
    return this.fresh.size >= MAX_WAITING_ITEMS || this.fresh.bytes >= MAX_WAITING_BYTES;
  }

  /** How many urgent changes wait or are being written, or are likely to come. */
  get crowd(): number {
    const here = this.urgent + this.urgentWriting;
    return here < this.expected && performance.now() < this.expectedUntil ? this.expected : here;
  }

  /** How many wait, without those that are being written. */
  get backlog(): number {
    return this.fresh.size;
  }

  /**
   * Resolves when it is no longer behind, or is stopped; also when writing fails, which may last
   * long and is told elsewhere.
   */
  async caughtUp(): Promise<void> {
    if (this.isBehind && !this.isFailing) await new Promise<void>((resolve) => this.behind.push(resolve));
  }

  /** True while writing fails. */
  get isFailing(): boolean {
    return this.failure !== undefined;
  }

  /** Has an item written; once, however often it is marked before. */
  mark(item: Item, isUrgent: boolean): void {
    if (this.kept.size > 0 && this.kept.has(item)) return;
    this.fresh.add(item);
    if (isUrgent) this.urgent++;
    const isFull = this.fresh.size >= MAX_BATCH_ITEMS || this.fresh.bytes >= MAX_BATCH_BYTES;
    if (isUrgent || isFull) this.hurry();
    else this.timer ??= setTimeout(() => this.hurry(), this.lazyDelay);
  }

  /** An item is not to be written any more. */
  unmark(item: Item): void {
    if (!this.fresh.delete(item)) this.kept.delete(item);
  }

  /** Resolves when all that was marked is durable; rejects when it could not be written. */
  flush(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.fresh.add(new Flusher(resolve, reject));
      this.isRetryDue = true;
      this.hurry();
    });
  }

  /** Drops what waits, once the write that is being made has ended. */
  async stop(): Promise<void> {
    const items = this.takeAll();
    this.urgent = this.expected = 0;
    this.gathered?.();
    this.tellCaughtUp();
    await this.running;
    // The last write may have failed.
    this.host.dropped([...items, ...this.takeAll()]);
    clearTimeout(this.timer);
    clearTimeout(this.retryTimer);
    this.timer = this.retryTimer = this.failure = undefined;
  }

  private hurry(): void {
    this.isUrgent = true;
    if (this.gathered && this.isWorthwhile) this.gathered();
    this.running ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.run());
  }

  private async run(): Promise<void> {
    while (this.isUrgent) {
      clearTimeout(this.timer);
      this.timer = undefined;
      await this.gather();
      if (this.isRetryDue) {
        this.isRetryDue = false;
        if (this.kept.size > 0) await this.commit(take(this.kept, this.keptLimit), false);
      }
      const batch = this.fresh.take();
      this.expected = this.urgentWriting = this.urgent;
      this.urgent = 0;
      if (this.fresh.size === 0) this.isUrgent = this.isRetryDue;
      await this.commit(batch, true);
      this.urgentWriting = 0;
      if (!this.isBehind || this.isFailing) this.tellCaughtUp();
      if (batch.length >= MANY_ITEMS && this.isUrgent) await nextTurn();
    }
    this.running = undefined;
    if (this.fresh.size > 0) this.timer ??= setTimeout(() => this.hurry(), this.lazyDelay);
  }

  /** Takes out all that waits, without the flushes among it. */
  private takeAll(): Item[] {
    const items: Item[] = [...this.kept];
    this.kept.clear();
    while (this.fresh.size > 0) for (const item of this.fresh.take()) if (!(item instanceof Flusher)) items.push(item);
    return items;
  }

  /** Whether the next write waits for nobody more. */
  private get isWorthwhile(): boolean {
    const isEnough = this.urgent >= Math.min(this.expected, ENOUGH_COMPANY);
    return isEnough || this.fresh.size >= MAX_BATCH_ITEMS || this.isRetryDue;
  }

  /** Waits until those that were told of the last write are back, or are no longer likely to come. */
  private async gather(): Promise<void> {
    const rest = this.gatherUntil - performance.now();
    if (rest <= 0 || this.isWorthwhile) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, rest);
      this.gathered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.gathered = undefined;
  }

  private tellCaughtUp(): void {
    for (const resolve of this.behind.splice(0)) resolve();
  }

  private async commit(batch: readonly (Item | Flusher)[], isFresh: boolean): Promise<void> {
    const items: Item[] = [];
    const flushers: Flusher[] = [];
    for (const each of batch) {
      if (each instanceof Flusher) flushers.push(each);
      else items.push(each);
    }
    const start = performance.now();
    try {
      if (items.length > 0) await this.host.write(items);
    } catch (error) {
      this.fail(items, error as StorageError, isFresh);
      for (const flusher of flushers) flusher.reject(error as StorageError);
      return;
    }
    const end = performance.now();
    if (items.length > 0) this.writes.wrote(items.length, end - start);
    this.expectedUntil = end + EXPECTATION;
    this.gatherUntil = end + Math.max(MIN_GATHERING, (end - start) / 2);
    // Those that came meanwhile, and those that are told now.
    if (isFresh) this.expected += this.urgent;
    if (items.length > 0) {
      await this.host.settled(items);
      this.succeed(isFresh);
    }
    for (const flusher of flushers) {
      if (this.kept.size === 0) flusher.resolve();
      else if (this.failure && !this.isRetryDue) flusher.reject(this.failure.error);
      else this.waitOn(flusher);
    }
  }

  /** What failed before is being tried again: a flush goes on waiting for it. */
  private waitOn(flusher: Flusher): void {
    this.fresh.add(flusher);
    this.isRetryDue = this.isUrgent = true;
  }

  private fail(items: readonly Item[], error: StorageError, isFresh: boolean): void {
    const before = this.failure;
    this.failure = { error, ofFresh: isFresh || (before?.ofFresh ?? false) };
    for (const item of items) this.unmark(item);
    for (const item of this.host.failed(items, error)) this.kept.add(item);
    if (before?.error.code !== error.code) this.host.trouble(error);
    if (this.kept.size === 0) return;
    // First at once, without new jobs; after that at intervals, and fewer.
    if (isFresh) this.isRetryDue = this.isUrgent = true;
    else this.keptLimit = Math.ceil(items.length / 4);
    if (!isFresh) this.retryTimer ??= setTimeout(() => this.retry(), RETRY_DELAY);
  }

  private succeed(isFresh: boolean): void {
    if (this.failure && (isFresh || !this.failure.ofFresh)) {
      this.failure = undefined;
      this.host.trouble(undefined);
    }
    if (this.kept.size > 0) this.isRetryDue = this.isUrgent = true;
    else this.keptLimit = MAX_BATCH_ITEMS;
  }

  private retry(): void {
    this.retryTimer = undefined;
    this.isRetryDue = true;
    this.hurry();
  }
}

/** A flush: it stands among the changes and waits for those before it. */
class Flusher implements Change {
  readonly bytes = 0;
  waitsAt = -1;

  constructor(
    readonly resolve: () => void,
    readonly reject: (error: StorageError) => void,
  ) {}
}

/**
 * What waits, in the order it came. Not a Set: putting each job in and taking
 * all out of one were a tenth of what a job costs the storage.
 */
class Line<Item extends Change> {
  private items: (Item | undefined)[] = [];
  /** The place of the first of them. */
  private first = 0;
  size = 0;
  /** Of all of them together. */
  bytes = 0;

  add(item: Item): void {
    if ((item.waitsAt ?? -1) >= 0) return;
    item.waitsAt = this.first + this.items.push(item) - 1;
    this.size++;
    this.bytes += item.bytes;
  }

  /** False when it does not wait. */
  delete(item: Item): boolean {
    const { waitsAt = -1 } = item;
    if (waitsAt < 0) return false;
    this.items[waitsAt - this.first] = undefined;
    this.leave(item);
    // What came and went while a write takes long must not fill memory.
    if (this.items.length > MAX_BATCH_ITEMS && this.size * 2 < this.items.length) this.close();
    return true;
  }

  /** Takes the first ones out, as many as fit one batch. */
  take(): Item[] {
    const { items } = this;
    const batch: Item[] = [];
    let end = 0;
    for (let bytes = 0; end < items.length && batch.length < MAX_BATCH_ITEMS && bytes <= MAX_BATCH_BYTES; end++) {
      const item = items[end];
      if (!item) continue;
      bytes += item.bytes;
      this.leave(item);
      batch.push(item);
    }
    this.items = end === items.length ? [] : items.slice(end);
    this.first += end;
    return batch;
  }

  private leave(item: Item): void {
    item.waitsAt = -1;
    this.size--;
    this.bytes -= item.bytes;
  }

  /** Closes the gaps. */
  private close(): void {
    this.items = this.items.filter((item) => item !== undefined);
    for (const [index, item] of this.items.entries()) item!.waitsAt = this.first + index;
  }
}

/** Takes the first items out, as many as fit one batch, at most `limit`. */
function take<Item extends Change>(items: Set<Item>, limit: number): Item[] {
  const batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (batch.length === limit || bytes > MAX_BATCH_BYTES) break;
    bytes += item.bytes;
    batch.push(item);
    items.delete(item);
  }
  return batch;
}
