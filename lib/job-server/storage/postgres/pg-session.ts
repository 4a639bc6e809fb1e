import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StorageError } from '../storage-error.js';
import type { StoredPriority } from '../stored-job.js';
import type { Change, QueueHint } from './pg-hints.js';
import { run, type PgParts } from './pg-parts.js';
import type { PgRow } from './pg-package.js';
import { bytes, bytesArray, intArray } from './pg-values.js';

/** How often the database is looked at, in milliseconds: what no notification told is seen then. */
const POLL_INTERVAL = 1_000;

/** How long what is to be told to the others is gathered, in milliseconds. */
const NOTIFY_DELAY = 10;

/** How many rows of counts are added up to one for each queue. */
const TALLY_ROWS = 500;

/**
 * This owner's session: shows the others that it is alive, sees whether they
 * are, and what they changed.
 *
 * Nobody compares clocks. An owner is taken for dead by one that was connected
 * all the while and saw its beat unchanged for `leaseTime` of its own clock of
 * durations. The dead one's number is fenced at once: what it still writes
 * under it has no effect, and its jobs wait again.
 */
export class PgSession {
  /** Of other owners: the beat last seen, and since when. */
  private readonly seen = new Map<number, { beat: string; since: number }>();
  private readonly told = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private notifying: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private lastBeat = -Infinity;
  private lastTakeover = -Infinity;
  private isClosed = false;
  /** Which connection to the database it was that all the leases were known on. */
  private connection = 0;

  constructor(
    private readonly parts: PgParts,
    /** The session was taken for dead, and another one has begun. */
    private readonly lost: (oldId: number) => void,
    /** What the database says is leased to this session; answers what of it is to be given back. */
    private readonly compare: (leased: ReadonlySet<string>) => readonly string[],
    private readonly settings: (rows: readonly { readonly name: Buffer; readonly value: Buffer }[]) => void,
  ) {}

  async begin(): Promise<void> {
    const { name } = this.parts.options;
    const ousted = await run(this.parts, 'hearer', 'oust', [name]);
    const ids = ousted.rows.map((row) => (row as { readonly id: number }).id);
    if (ids.length > 0) await this.giveBack(ids);
    await this.join();
    const { rows } = await run(this.parts, 'hearer', 'settings');
    this.settings(rows as { name: Buffer; value: Buffer }[]);
    await this.look();
    this.connection = this.parts.connections.hearer.connects;
    this.arm();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.notifying);
    await this.polling?.catch(() => undefined);
  }

  /** Gives back what this session had leased, and ends it. */
  async leave(): Promise<void> {
    const { id } = this.parts.session;
    await this.giveBack([id]);
    await this.tellNow();
    await run(this.parts, 'hearer', 'leave', [id]);
  }

  /** Tells the others, soon: many things together. */
  tell(message: string): void {
    this.told.add(message);
    this.notifying ??= setTimeout(() => {
      this.notifying = undefined;
      // Who does not hear it sees it by looking.
      this.tellNow().catch(() => undefined);
    }, NOTIFY_DELAY);
  }

  /** Hears what another owner told. */
  hear(payload: string): void {
    for (const line of payload.split('\n')) {
      const [word, from, ...rest] = line.split(' ');
      if (from === String(this.parts.session.id)) continue;
      if (word === 'ready') this.hearReady(rest);
      else if (word === 'cancel' && rest[0] === String(this.parts.session.id)) this.lookSoon();
    }
  }

  private hearReady([id, priority]: readonly string[]): void {
    const name = this.parts.functions.name(Number(id));
    const queue = name === '' ? undefined : this.parts.hints.queue(name, Number(priority) as StoredPriority);
    // One that is not known yet is, after looking.
    if (queue) queue.isShort = true;
    this.lookSoon();
  }

  private lookSoon(): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), NOTIFY_DELAY).unref();
  }

  private arm(): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), Math.min(POLL_INTERVAL, this.beatInterval)).unref();
  }

  private get beatInterval(): number {
    return this.parts.options.leaseTime / 5;
  }

  private poll(): void {
    this.polling = this.pollNow()
      .then(() => this.parts.health.worked())
      .catch((error: StorageError) => {
        // While this one does not see them, nobody is taken for dead.
        this.seen.clear();
        if (!this.isClosed) this.parts.health.failed(error);
      })
      .finally(() => this.arm());
  }

  private async pollNow(): Promise<void> {
    const now = performance.now();
    if (now - this.lastBeat >= this.beatInterval) {
      this.lastBeat = now;
      await this.beat(now);
    }
    const { connects } = this.parts.connections.hearer;
    if (connects !== this.connection) await this.compareLeases();
    this.connection = connects;
    await this.look();
  }

  /**
   * The connection was lost, perhaps since the database crashed: then what was
   * not waited for, leases and ends of its last moments, may not be there any
   * more. Jobs whose end is missing run again; leases that are missing are lost.
   */
  private async compareLeases(): Promise<void> {
    const { id } = this.parts.session;
    const goOn = await this.holdWriters();
    let unknown: readonly string[];
    try {
      const { rows } = await run(this.parts, 'hearer', 'leasedBy', [id]);
      const leased = new Set(rows.map((row) => (row as { readonly handle: Buffer }).handle.toString('latin1')));
      unknown = this.compare(leased);
    } finally {
      goOn();
    }
    if (unknown.length === 0) return;
    const { rows } = await run(this.parts, 'hearer', 'giveBackSome', [id, bytesArray(unknown.map(bytes))]);
    this.tellReady(rows);
  }

  /** Keeps everything of this owner's from the database; once what was under way is over, and known here. */
  private async holdWriters(): Promise<() => void> {
    const { adder, ender, leaser } = this.parts.connections;
    const releases = await Promise.all([adder, ender, leaser].map((connection) => connection.hold()));
    await nextTurn();
    return () => {
      for (const goOn of releases) goOn();
    };
  }

  private async join(): Promise<void> {
    const { options, session } = this.parts;
    // Waited for, unlike the rest: after a crash nobody else may be given this number.
    const { rows } = await run(this.parts, 'adder', 'join', [options.name, options.address]);
    session.id = (rows[0] as { readonly id: number }).id;
    this.lastBeat = performance.now();
  }

  private async beat(now: number): Promise<void> {
    const { session } = this.parts;
    const { id } = session;
    const { rowCount } = await run(this.parts, 'hearer', 'beat', [id]);
    if (rowCount === 0) {
      await this.join();
      this.lost(id);
    }
    const { rows } = await run(this.parts, 'hearer', 'owners');
    const dead: number[] = [];
    for (const row of rows as readonly OwnerRow[]) {
      if (row.dead) dead.push(row.id);
      else if (row.id !== session.id && (await this.isDead(row, now))) dead.push(row.id);
    }
    const isDue = now - this.lastTakeover >= this.parts.options.leaseTime / 2;
    if (dead.length === 0 || !isDue) return;
    this.lastTakeover = now;
    await this.giveBack(dead);
    await run(this.parts, 'hearer', 'sweep');
  }

  private async isDead({ id, beat }: OwnerRow, now: number): Promise<boolean> {
    const seen = this.seen.get(id);
    if (seen?.beat !== beat) {
      this.seen.set(id, { beat, since: now });
      return false;
    }
    if (now - seen.since < this.parts.options.leaseTime) return false;
    const { rows } = await run(this.parts, 'hearer', 'takeForDead', [id, beat]);
    // So that its jobs are given back in this very turn.
    if (rows.length > 0) this.lastTakeover = -Infinity;
    return rows.length > 0;
  }

  private async giveBack(ids: readonly number[]): Promise<void> {
    const { rows } = await run(this.parts, 'hearer', 'giveBack', [intArray(ids)]);
    this.tellReady(rows);
  }

  private tellReady(rows: readonly PgRow[]): void {
    const { id } = this.parts.session;
    for (const row of rows as readonly { function: number; priority: number }[]) {
      this.tell(`ready ${id} ${row.function} ${row.priority}`);
    }
  }

  private async tellNow(): Promise<void> {
    clearTimeout(this.notifying);
    this.notifying = undefined;
    const messages = [...this.told];
    this.told.clear();
    // A payload has less than 8,000 bytes.
    for (let start = 0; start < messages.length; start += 10) {
      const payload = messages.slice(start, start + 10).join('\n');
      const text = 'SELECT pg_notify($1, $2)';
      await this.parts.connections.hearer.query({ name: 'notify', text, values: [this.channel, payload] });
    }
  }

  private get channel(): string {
    return `${this.parts.options.schema}_jobs`;
  }

  /** Looks what all queues have, while nothing of this owner's is on its way to them. */
  private async look(): Promise<void> {
    const { connections, functions, hints } = this.parts;
    const { hearer } = connections;
    const goOn = await this.holdWriters();
    let rows: readonly CountRow[];
    try {
      rows = (await run(this.parts, 'hearer', 'counts')).rows as readonly CountRow[];
    } finally {
      goOn();
    }
    await functions.learn(
      rows.map((row) => row.function),
      hearer,
    );
    const unseen = new Set(hints.queues);
    for (const row of rows) {
      const queue = hints.queue(functions.name(row.function), row.priority);
      unseen.delete(queue);
      this.saw(queue, [Number(row.total), Number(row.waiting), Number(row.scheduled)]);
    }
    for (const queue of unseen) this.saw(queue, [0, 0, 0]);
    await this.lookForTimes();
    await this.lookForCancels();
    await this.parts.dead.look(hearer);
    if (rows.reduce((sum, row) => sum + row.rows, 0) > TALLY_ROWS + 2 * rows.length)
      await run(this.parts, 'hearer', 'compact');
  }

  private async lookForCancels(): Promise<void> {
    const { listener, session } = this.parts;
    const { rows } = await run(this.parts, 'hearer', 'cancelled', [session.id]);
    for (const row of rows) listener.cancel?.((row as { readonly handle: Buffer }).handle.toString('latin1'));
  }

  private saw(queue: QueueHint, base: Change): void {
    const before = queue.counts[1];
    queue.reset(base);
    const waiting = queue.counts[1];
    if (waiting > 0 && (queue.isShort || waiting > before)) this.tellOwner(queue);
  }

  private tellOwner(queue: QueueHint): void {
    queue.isShort = false;
    this.parts.listener.ready(queue.name.function, queue.name.priority);
  }

  private async lookForTimes(): Promise<void> {
    const { functions, hints } = this.parts;
    const queues = hints.queues.filter(({ counts, times }) => counts[2] > 0 || times.length > 0);
    if (queues.length === 0) return;
    const ids = queues.map(({ name }) => functions.id(name.function) ?? 0);
    const priorities = queues.map(({ name }) => name.priority);
    const { rows } = await run(this.parts, 'hearer', 'times', [intArray(ids), intArray(priorities)]);
    for (const queue of queues) queue.times = [];
    for (const row of rows as readonly { function: number; priority: StoredPriority; at: string }[]) {
      hints.queue(functions.name(row.function), row.priority).expect(Number(row.at));
    }
  }
}

interface OwnerRow {
  readonly id: number;
  readonly beat: string;
  readonly dead: boolean;
}

interface CountRow {
  readonly function: number;
  readonly priority: StoredPriority;
  readonly total: string;
  readonly waiting: string;
  readonly scheduled: string;
  readonly rows: number;
}
