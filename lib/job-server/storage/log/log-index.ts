import { DeadCounts } from '../dead-counts.js';
import { EntryTable } from './entry-table.js';
import type { Entry } from './entry.js';
import { storageError } from './file-errors.js';
import { byPart, Hashes, HashTable } from './hash-table.js';
import { JobQueue, queueKey } from './job-queue.js';
import { Names } from './names.js';
import { PlaceHeap } from './place-heap.js';
import { DEAD, ENDED, JOB, ORIGIN, SETTING, type Ended, type ItemReader, type RecordVisitor } from './record.js';
import type { Block, Damage, Segment, SegmentBook } from './segment.js';

/** So many blocks that were read stay in memory, and no larger ones. */
const MAX_BLOCKS = 64;
const MAX_BLOCK_BYTES = 64 * 1024;

/**
 * What memory knows of the log, and nothing that the log does not say: it is
 * told every record once that is durable, when it was written as well as when
 * it is read again at a start. And the entries that memory has beside.
 *
 *   segments  where blocks begin, and one bit an item: whether it lives
 *   queues    where jobs wait
 *   table     uniques, handles out of order and origins, by their hashes
 */
export class LogIndex implements RecordVisitor {
  readonly names = new Names();
  readonly hashes: Hashes;
  readonly entries = new EntryTable();
  readonly queues = new Map<number, JobQueue>();
  /** Oldest first. */
  readonly segments: Segment[] = [];
  /** Whether an item lives. */
  private readonly isAlive = (number: number): boolean => this.segmentOf(number)?.isAlive(number) ?? false;
  /** Whether a job waits at a place, in the log or in memory. */
  private readonly waits = (place: number, time: number, sequence: number): boolean =>
    place >= 0 ? this.isFree(place) : this.entries.at(-1 - place)?.waitsAs(time, sequence) === true;
  readonly dead = new PlaceHeap(this.isAlive);
  /** How many of them there are, as the owner sees them. */
  readonly deadCounts = new DeadCounts();
  readonly ended = new PlaceHeap(this.isAlive);
  /** Where settings are, by their names. */
  readonly settings = new Map<string, Ended>();
  lastSequence = 0;
  /** The highest number that a segment had, also one that cannot be read: no other gets it. */
  lastSegment = 0;
  /** The segment whose records are told. */
  current: Segment | undefined;
  private readonly table = new HashTable();
  private readonly blocks = new Map<number, Block>();
  /** While the log is read at a start: what lives is known in the end. */
  private isRecovering = true;

  constructor(
    readonly path: string,
    readonly seed: number,
    /** Is told what cannot be read, once. */
    private readonly damaged: (damage: Damage) => void,
  ) {
    this.hashes = new Hashes(seed);
  }

  // --- what the log says ---

  name(id: number, text: string): void {
    this.names.declared(id, text);
    this.current?.book?.names.set(id, text);
  }

  item(item: ItemReader, number: number): void {
    const segment = this.current!;
    const { book } = segment;
    segment.addItem(number, item.length);
    const { kind, source, queue, sequence, isHandleApart } = item;
    const uniqueHash = item.uniqueEnd > 0 ? this.uniqueHash(item) : 0;
    if (source) {
      this.over(source, queue);
      if (!this.isRecovering && kind !== SETTING && kind !== ORIGIN) {
        if (uniqueHash !== 0) this.table.remove(uniqueHash, source.number);
        this.table.remove(this.hashes.handle(this.handleOf(item)), source.number);
      }
    }
    if (kind === ORIGIN) {
      this.addHash(segment, this.hashes.origin(item.handleName), number);
      if (source && !this.isRecovering) this.table.remove(this.hashes.origin(item.handleName), source.number);
      return;
    }
    if (kind !== SETTING) {
      if (isHandleApart) this.addHash(segment, this.hashes.handle(this.handleOf(item)), number);
      else this.addToHandles(segment, item, number);
      if (sequence > this.lastSequence) this.lastSequence = sequence;
      if (book && sequence > book.lastSequence) book.lastSequence = sequence;
    }
    if (kind === JOB) {
      segment.count(queue, item.at > 0, 1);
      if (item.uniqueEnd > 0) this.addHash(segment, uniqueHash, number);
      if (!item.isApart) {
        this.addToRuns(segment, item, number);
        return;
      }
    }
    for (const value of [kind, queue, item.time, sequence, number]) book?.places.push(value);
    if (this.isRecovering) return;
    if (kind === SETTING) this.addSetting(item, number);
    else this.addPlace(kind, queue, item.time, sequence, number);
  }

  over(ended: Ended, queue: number): void {
    const segment = this.segmentOf(ended.number);
    if (!segment?.isAlive(ended.number)) return;
    segment.removeItem(ended.number, ended.length);
    if (ended.kind === JOB) segment.count(queue, ended.hasTime, -1);
  }

  /** All of the log was told: what lives is put where it is looked for. */
  recovered(): void {
    this.isRecovering = false;
    const lists = this.segments.map(({ rest, book, first, alive }) => {
      const pairs = rest?.hashes ?? byPart(book!.hashes.toArray());
      return { pairs, first, isKept: (place: number) => alive.has(place) };
    });
    this.table.fill(lists);
    for (const segment of this.segments) {
      this.putPlaces(segment, segment.rest?.places ?? segment.book?.places.toArray() ?? []);
      segment.rest = undefined;
      for (const [key, [total, scheduled]] of segment.tallies) {
        const queue = this.queueOf(key);
        queue.total += total;
        queue.scheduled += scheduled;
        queue.waiting += total - scheduled;
      }
    }
    // What is written from now on comes behind all there is.
    for (const queue of this.queues.values()) queue.lastSequence = this.lastSequence;
  }

  /** An index file told what its segment has. */
  loaded(book: SegmentBook): void {
    const runs = book.runs.toArray();
    for (let at = 0; at < runs.length; at += 2) {
      const queue = this.queueOf(runs[at]!);
      queue.runs.push(runs[at + 1]!);
      queue.lastRun = runs[at + 1]!;
    }
    const handles = book.handles.toArray();
    for (let at = 0; at < handles.length; at += 3) {
      const prefix = this.names.prefix(handles[at]!);
      prefix?.starts.push(handles[at + 1]!);
      prefix?.numbers.push(handles[at + 2]!);
    }
    for (const [id, last] of book.lastHandles) {
      const prefix = this.names.prefix(id);
      if (prefix) prefix.last = Math.max(prefix.last, last);
    }
    this.lastSequence = Math.max(this.lastSequence, book.lastSequence);
  }

  /** The oldest segment has nothing living and is gone. */
  dropOldest(): void {
    this.segments.shift()?.close();
    const first = this.segments[0]?.first ?? Infinity;
    for (const prefix of this.names.allPrefixes()) prefix.prune(first);
  }

  // --- asking ---

  queue(functionName: string, priority: number): JobQueue {
    return this.queueOf(queueKey(this.names.name(functionName).id, priority));
  }

  findQueue(functionName: string, priority: number): JobQueue | undefined {
    const name = this.names.find(functionName);
    return name && this.queues.get(queueKey(name.id, priority));
  }

  queueOf(key: number): JobQueue {
    let queue = this.queues.get(key);
    if (!queue) {
      const name = this.names.byNumber(key >>> 2) ?? this.names.declared(key >>> 2, '');
      this.queues.set(key, (queue = new JobQueue(key, name, (key & 3) as 0 | 1 | 2, this.waits)));
    }
    return queue;
  }

  segmentOf(number: number): Segment | undefined {
    const { segments } = this;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (segments[middle]!.first <= number) low = middle + 1;
      else high = middle;
    }
    const segment = segments[low - 1];
    return segment && number < segment.next ? segment : undefined;
  }

  /** Whether an item lives, and memory does not have it. */
  isFree(number: number): boolean {
    const segment = this.segmentOf(number);
    return segment !== undefined && segment.isAlive(number) && !segment.held.has(number - segment.first);
  }

  hold(number: number): void {
    const segment = this.segmentOf(number);
    segment?.held.set(number - segment.first);
  }

  letGo(number: number): void {
    const segment = this.segmentOf(number);
    segment?.held.clear(number - segment.first);
  }

  /** A living item's fields, for now; undefined when it is over, or cannot be read. Throws a {@link StorageError}. */
  read(number: number): ItemReader | undefined {
    const segment = this.segmentOf(number);
    return segment?.isAlive(number) ? this.blockOf(segment, segment.blockOf(number)).item(number) : undefined;
  }

  /** The same; undefined also while the disk fails at reading. */
  readIfCan(number: number): ItemReader | undefined {
    try {
      return this.read(number);
    } catch {
      return undefined;
    }
  }

  blockOf(segment: Segment, index: number): Block {
    const first = segment.firsts.at(index);
    const known = this.blocks.get(first);
    // The last one may have grown.
    if (known && known.items.next === segment.blockNext(index)) return known;
    const damages: Damage[] = [];
    const block = this.readBlock(segment, index, damages);
    for (const damage of damages) this.damaged(damage);
    this.blocks.delete(first);
    if (block.bytes.length > MAX_BLOCK_BYTES) return block;
    if (this.blocks.size >= MAX_BLOCKS) for (const [oldest] of this.blocks) if (this.blocks.delete(oldest)) break;
    this.blocks.set(first, block);
    return block;
  }

  /** Reads a block past what is in memory. */
  readBlock(segment: Segment, index: number, damages: Damage[]): Block {
    try {
      return segment.readBlock(index, (damage) => damages.push(damage));
    } catch (error) {
      // To be opened again by who tries again.
      segment.close();
      throw storageError(error, this.path);
    }
  }

  handleOf(item: ItemReader): string {
    return item.prefix < 0 ? item.handleName : this.names.handleOf(item.prefix, item.handleNumber);
  }

  /** The number of the living item with this handle, whose hash it has. */
  findHandle(handle: string, hash: number): number | undefined {
    const isIt = (number: number): boolean => {
      const item = this.read(number);
      return item !== undefined && item.kind !== ORIGIN && this.handleOf(item) === handle;
    };
    return this.findOrdered(handle) ?? this.findHashed(hash, isIt);
  }

  /** The number of a living job with this unique, whose hash it has; `isIt` says whether it is the one. */
  findUnique(
    hash: number,
    functionId: number,
    unique: string,
    isIt: (item: ItemReader, number: number) => boolean,
  ): number | undefined {
    return this.findHashed(hash, (number) => {
      const item = this.read(number);
      return item?.kind === JOB && item.queue >>> 2 === functionId && item.unique === unique && isIt(item, number);
    });
  }

  hasOrigin(origin: string): boolean {
    const found = this.findHashed(this.hashes.origin(origin), (number) => {
      const item = this.read(number);
      return item?.kind === ORIGIN && item.handleName === origin;
    });
    return found !== undefined;
  }

  /** What the log had of a job is over: neither its unique nor its handle is looked for any longer. */
  forgetJob({ number, isHandleApart }: Ended, { job, uniqueHash, handleHash }: Entry): void {
    if (job.unique !== '') this.table.remove(uniqueHash, number);
    if (isHandleApart) this.table.remove(handleHash, number);
  }

  forgetOrigin(number: number, origin: string): void {
    this.table.remove(this.hashes.origin(origin), number);
  }

  get bytes(): number {
    return this.segments.reduce((sum, { end }) => sum + end, 0);
  }

  get livingBytes(): number {
    return this.segments.reduce((sum, { livingBytes }) => sum + livingBytes, 0);
  }

  close(): void {
    for (const segment of this.segments.splice(0)) segment.close();
  }

  // --- putting in ---

  private addToRuns(segment: Segment, { queue: key, sequence }: ItemReader, number: number): void {
    const queue = this.queueOf(key);
    if (sequence > queue.lastSequence) queue.lastSequence = sequence;
    if (queue.lastRun >= (segment.firsts.last ?? 0)) return;
    queue.lastRun = number;
    queue.runs.push(number);
    segment.book?.runs.push(key);
    segment.book?.runs.push(number);
  }

  private addSetting(item: ItemReader, number: number): void {
    const { length, handleName } = item;
    this.settings.set(handleName, { number, length, kind: SETTING, hasTime: false });
  }

  private addToHandles({ book, firsts }: Segment, item: ItemReader, number: number): void {
    const prefix = this.names.prefix(item.prefix);
    if (!prefix) return;
    if (item.handleNumber > prefix.last) prefix.last = item.handleNumber;
    book?.lastHandles.set(item.prefix, prefix.last);
    if ((prefix.numbers.last ?? -1) >= (firsts.last ?? 0)) return;
    prefix.starts.push(item.handleNumber);
    prefix.numbers.push(number);
    book?.handles.push(item.prefix);
    book?.handles.push(item.handleNumber);
    book?.handles.push(number);
  }

  private addHash({ book, first }: Segment, hash: number, number: number): void {
    book?.hashes.push(hash);
    book?.hashes.push(number - first);
    if (!this.isRecovering) this.table.add(hash, number);
  }

  /** Puts what lives of five numbers each: kind, queue, time, sequence, number. */
  private putPlaces(segment: Segment, places: ArrayLike<number>): void {
    for (let at = 0; at < places.length; at += 5) {
      const number = places[at + 4]!;
      if (!segment.isAlive(number)) continue;
      if (places[at] === DEAD) this.deadCounts.add(this.queueOf(places[at + 1]!).functionName, 1);
      this.addPlace(places[at]!, places[at + 1]!, places[at + 2]!, places[at + 3]!, number);
    }
  }

  private addPlace(kind: number, queue: number, time: number, sequence: number, number: number): void {
    if (kind === JOB) this.queueOf(queue).place({ at: time, sequence }, number);
    else if (kind === DEAD) this.dead.push(time, sequence, number);
    else if (kind === ENDED) this.ended.push(time, sequence, number);
    else if (kind === SETTING) {
      const item = this.readIfCan(number);
      if (item) this.addSetting(item, number);
    }
  }

  private findOrdered(handle: string): number | undefined {
    const parts = this.names.split(handle, false);
    if ('name' in parts) return undefined;
    const { prefix: id, number } = parts;
    const prefix = this.names.prefix(id);
    const run = prefix?.starts.lastNotAbove(number) ?? -1;
    if (!prefix || run < 0) return undefined;
    const from = prefix.numbers.at(run);
    const segment = this.segmentOf(from);
    if (!segment) return undefined;
    const index = segment.blockOf(from);
    const next = segment.blockNext(index);
    if (!segment.hasLiving(from, next)) return undefined;
    const block = this.blockOf(segment, index);
    for (let each = from; each < next; each++) {
      if (!segment.isAlive(each)) continue;
      const item = block.item(each);
      if (item && item.kind !== ORIGIN && item.prefix === id && item.handleNumber === number) return each;
    }
    return undefined;
  }

  private findHashed(hash: number, isIt: (number: number) => boolean): number | undefined {
    const first = this.segments[0]?.first ?? 0;
    const whole = (number: number): number => first + ((number - first) >>> 0);
    const found = this.table.find(hash, (number) => isIt(whole(number)));
    return found === undefined ? undefined : whole(found);
  }

  private uniqueHash({ bytes, queue, uniqueStart, uniqueEnd }: ItemReader): number {
    return this.hashes.uniqueIn(queue >>> 2, bytes, uniqueStart, uniqueEnd);
  }
}
