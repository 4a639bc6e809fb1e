import { DeadCounts } from '../dead-counts.js';
import { EntryTable } from './entry-table.js';
import type { Entry } from './entry.js';
import { Hashes, HashTable } from './hash-table.js';
import { LogQueue, queueKey } from './log-queue.js';
import { Names } from './names.js';
import type { NumberList } from './number-list.js';
import { PlaceHeap } from './place-heap.js';
import {
  DEAD,
  ENDED,
  JOB,
  ORIGIN,
  readingError,
  SETTING,
  type Stored,
  type ItemReader,
  type RecordVisitor,
} from './record.js';
import type { Block, Damage, Segment } from './segment.js';

/** So many blocks that were read stay in memory, and no larger ones. */
const MAX_BLOCKS = 64;
const MAX_BLOCK_BYTES = 64 * 1024;

/**
 * What memory knows of the log, and nothing that the log does not say: it is told every record
 * that is durable, after it was written as well as when it is read at a start. Beside that, the
 * entries in memory.
 *
 *   segments  where blocks begin, which handles those have, and one bit an item: whether it lives
 *   queues    where jobs wait
 *   table     uniques, origins, and the handles of all that is no fresh job, by their hashes
 */
export class LogIndex implements RecordVisitor {
  readonly names = new Names();
  readonly hashes: Hashes;
  readonly entries = new EntryTable();
  readonly queues = new Map<number, LogQueue>();
  /** Those that have jobs, or had some when it was last looked. */
  private readonly used = new Set<LogQueue>();
  /** Oldest first. */
  readonly segments: Segment[] = [];
  /** Whether an item lives. */
  private readonly isAlive = (number: number): boolean => this.segmentOf(number)?.isAlive(number) ?? false;
  /** Whether a job waits at a place, in the log or in memory. */
  private readonly waits = (place: number, time: number, sequence: number): boolean =>
    place >= 0 ? this.isFree(place) : this.entries.at(-1 - place)?.waitsAs(time, sequence) === true;
  readonly dead = new PlaceHeap(this.isAlive);
  /** How many dead letters there are, as the owner sees them. */
  readonly deadCounts = new DeadCounts();
  readonly ended = new PlaceHeap(this.isAlive);
  /** Where settings are, by their names. */
  readonly settings = new Map<string, Stored>();
  /** The highest number that a segment had, also one that cannot be read: no other gets it. */
  lastSegment = 0;
  /** The segment whose records are being told. */
  current: Segment | undefined;
  private readonly table = new HashTable();
  private readonly blocks = new Map<number, Block>();
  /** While the log is read at a start: only at the end it is known what lives. */
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

  item(item: ItemReader): void {
    const segment = this.current!;
    segment.addItem(item);
    if (item.kind === JOB) {
      segment.count(item.queue, item.hasTime, 1);
      if (item.hasUnique) this.addHash(segment, this.uniqueHash(item), item.number);
    }
    if (item.isApart) this.addApart(segment, item);
    else this.addToRuns(segment, item);
    if (item.isFresh) segment.addHandle(this.hashes.groupIn(item.bytes, item.handleStart, item.handleEnd));
    else if (item.isOfJob) this.addHash(segment, this.hashes.handle(item.handle), item.number);
    else if (item.kind === ORIGIN) this.addHash(segment, this.hashes.origin(item.handle), item.number);
  }

  over({ number, length, kind, hasTime }: Stored, queue: number): void {
    const segment = this.segmentOf(number);
    if (!segment?.isAlive(number)) return;
    segment.removeItem(number, length);
    if (kind === JOB) segment.count(queue, hasTime, -1);
  }

  /** All of the log was told: what lives is put where it is looked for. */
  recovered(): void {
    this.isRecovering = false;
    const lists = this.segments.map(({ book, first, alive }) => {
      return { pairs: book!.pairs, first, isKept: (place: number) => alive.has(place) };
    });
    this.table.fill(lists);
    for (const segment of this.segments) {
      this.putRuns(segment.book!.runs);
      this.putPlaces(segment, segment.book!.places);
      if (segment.book!.saved) segment.book = undefined;
      for (const [key, tally] of segment.tallies) this.queueOf(key).countWaiting(tally);
    }
    // What is written from now on comes behind all there is.
    const { lastSequence } = this;
    for (const queue of this.queues.values()) queue.lastSequence = lastSequence;
  }

  /** The oldest segment has nothing living and is gone. */
  dropOldest(): void {
    this.segments.shift()?.close();
  }

  // --- asking ---

  queue(functionName: string, priority: number): LogQueue {
    return this.queueOf(queueKey(this.names.name(functionName).id, priority));
  }

  findQueue(functionName: string, priority: number): LogQueue | undefined {
    const name = this.names.find(functionName);
    return name && this.queues.get(queueKey(name.id, priority));
  }

  queueOf(key: number): LogQueue {
    let queue = this.queues.get(key);
    if (!queue) {
      const name = this.names.byNumber(key >>> 2) ?? this.names.declared(key >>> 2, '');
      this.queues.set(key, (queue = new LogQueue(key, name, this.waits, this.deadCounts, this.used)));
    }
    return queue;
  }

  /** The functions that have jobs. */
  get functionsWithJobs(): string[] {
    const { used } = this;
    for (const queue of used) if (queue.total === 0) used.delete(queue);
    return [...new Set([...used].map(({ functionName }) => functionName))];
  }

  segmentOf(number: number): Segment | undefined {
    const { segments } = this;
    let low = 0;
    let high = segments.length;
    // Most that is asked for is in the newest.
    if (high > 0 && segments[high - 1]!.first <= number) low = high;
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
    return segment !== undefined && segment.isAlive(number) && !segment.inMemory.has(number - segment.first);
  }

  /** Memory has an entry of an item, which is asked instead of the log. */
  setInMemory(number: number): void {
    const segment = this.segmentOf(number);
    segment?.inMemory.set(number - segment.first);
  }

  clearInMemory(number: number): void {
    const segment = this.segmentOf(number);
    segment?.inMemory.clear(number - segment.first);
  }

  /** A living item's fields, for now; undefined when it is over, or cannot be read. Throws a {@link StorageError}. */
  read(number: number): ItemReader | undefined {
    const segment = this.segmentOf(number);
    return segment?.isAlive(number) ? this.blockOf(segment, segment.blockOf(number)).item(number) : undefined;
  }

  blockOf(segment: Segment, index: number): Block {
    const first = segment.firsts.at(index);
    const known = this.blocks.get(first);
    // The last one may have grown.
    if (known && known.items.next === segment.blockNext(index)) return known;
    const block = this.readBlock(segment, index);
    this.blocks.delete(first);
    if (block.bytes.length > MAX_BLOCK_BYTES) return block;
    if (this.blocks.size >= MAX_BLOCKS) for (const [oldest] of this.blocks) if (this.blocks.delete(oldest)) break;
    this.blocks.set(first, block);
    return block;
  }

  /** Reads a block past what is in memory, and tells what is damaged in it. */
  readBlock(segment: Segment, index: number): Block {
    const damages: Damage[] = [];
    const block = this.readChecked(segment, index, damages);
    for (const damage of damages) this.damaged(damage);
    return block;
  }

  private readChecked(segment: Segment, index: number, damages: Damage[]): Block {
    try {
      return segment.readBlock(index, (damage) => damages.push(damage));
    } catch (error) {
      // The next attempt opens it again.
      segment.close();
      throw readingError(error, this.path);
    }
  }

  /** The highest sequence that a job had. */
  get lastSequence(): number {
    return this.segments.reduce((last, segment) => Math.max(last, segment.lastSequence), 0);
  }

  /** The living item with this handle, whose hash it has. */
  findHandle(handle: string, hash: number): ItemReader | undefined {
    const isIt = (item: ItemReader): boolean => item.isOfJob && item.isNamed(handle);
    return this.findHashed(hash, isIt) ?? this.findInBlocks(this.hashes.group(handle), isIt);
  }

  /**
   * A living job with this unique, whose hash it has; not one that memory has, which knows better
   * what became of it.
   */
  findUnique(hash: number, functionId: number, unique: string): ItemReader | undefined {
    const isOf = ({ kind, queue }: ItemReader): boolean => kind === JOB && queue >>> 2 === functionId;
    return this.findHashed(hash, (item) => isOf(item) && item.unique === unique && this.isFree(item.number));
  }

  hasOrigin(origin: string): boolean {
    const isIt = (item: ItemReader): boolean => item.kind === ORIGIN && item.isNamed(origin);
    return this.findHashed(this.hashes.origin(origin), isIt) !== undefined;
  }

  /** What the log had of a job is over: neither its unique nor its handle is looked for any longer. */
  forgetJob({ number, isApart }: Stored, { job, uniqueHash, handleHash }: Entry): void {
    if (job.unique !== '') this.table.remove(uniqueHash, number);
    if (isApart) this.table.remove(handleHash, number);
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

  private addToRuns(segment: Segment, { queue: key, sequence, number }: ItemReader): void {
    const queue = this.queueOf(key);
    if (sequence > queue.lastSequence) queue.lastSequence = sequence;
    if (queue.lastRun >= (segment.firsts.last ?? 0)) return;
    queue.lastRun = number;
    segment.book?.runs.push(key);
    segment.book?.runs.push(number);
    if (!this.isRecovering) queue.runs.push(number);
  }

  /** An item that does not wait where its queue is read in order. */
  private addApart(segment: Segment, item: ItemReader): void {
    const { kind, queue, time, sequence, number } = item;
    for (const value of [kind, queue, time, sequence, number]) segment.book?.places.push(value);
    if (this.isRecovering) return;
    if (kind === SETTING) this.settings.set(item.handle, item.stored);
    else this.addPlace(kind, queue, time, sequence, number);
  }

  private addHash({ book, first }: Segment, hash: number, number: number): void {
    book?.hashes.push(hash);
    book?.hashes.push(number - first);
    if (!this.isRecovering) this.table.add(hash, number);
  }

  /** Puts where jobs begin in a block, two numbers each: queue, number. */
  private putRuns(runs: NumberList): void {
    for (let at = 0; at < runs.length; at += 2) {
      const queue = this.queueOf(runs.at(at));
      queue.runs.push((queue.lastRun = runs.at(at + 1)));
    }
  }

  /** Puts what lives of five numbers each: kind, queue, time, sequence, number. */
  private putPlaces(segment: Segment, places: NumberList): void {
    for (let at = 0; at < places.length; at += 5) {
      const [kind, queue, number] = [places.at(at), places.at(at + 1), places.at(at + 4)];
      if (!segment.isAlive(number)) continue;
      if (kind === DEAD) this.deadCounts.add(this.queueOf(queue).functionName, 1);
      this.addPlace(kind, queue, places.at(at + 2), places.at(at + 3), number);
    }
  }

  private addPlace(kind: number, queue: number, time: number, sequence: number, number: number): void {
    if (kind === JOB) this.queueOf(queue).place({ at: time, sequence }, number);
    else if (kind === DEAD) this.dead.push(time, sequence, number);
    else if (kind === ENDED) this.ended.push(time, sequence, number);
    else if (kind === SETTING) {
      const item = this.read(number);
      if (item) this.settings.set(item.handle, item.stored);
    }
  }

  /** Looks for an item where handles of a group are, in the newest segment first. */
  private findInBlocks(group: number, isIt: (item: ItemReader) => boolean): ItemReader | undefined {
    for (let at = this.segments.length - 1; at >= 0; at--) {
      const segment = this.segments[at]!;
      let found: ItemReader | undefined;
      segment.handles.find(group, (index) => (found = this.findInBlock(segment, index, isIt)) !== undefined);
      if (found) return found;
    }
    return undefined;
  }

  private findInBlock(segment: Segment, index: number, isIt: (item: ItemReader) => boolean): ItemReader | undefined {
    const first = segment.firsts.at(index);
    const next = segment.blockNext(index);
    if (!segment.hasLiving(first, next)) return undefined;
    const block = this.blockOf(segment, index);
    for (let number = first; number < next; number++) {
      const item = segment.isAlive(number) ? block.item(number) : undefined;
      if (item && isIt(item)) return item;
    }
    return undefined;
  }

  private findHashed(hash: number, isIt: (item: ItemReader) => boolean): ItemReader | undefined {
    const first = this.segments[0]?.first ?? 0;
    let found: ItemReader | undefined;
    this.table.find(hash, (number) => {
      // The table has numbers modulo 2^32.
      const item = this.read(first + ((number - first) >>> 0));
      if (item && isIt(item)) found = item;
      return found !== undefined;
    });
    return found;
  }

  private uniqueHash({ bytes, queue, uniqueStart, uniqueEnd }: ItemReader): number {
    return this.hashes.uniqueIn(queue >>> 2, bytes, uniqueStart, uniqueEnd);
  }
}
