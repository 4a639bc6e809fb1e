import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { StorageError } from '../storage-error.js';
import type { StoredPriority } from '../stored-job.js';
import type { Change, QueueHint } from './pg-hints.js';
import { PackedJobs, PackName } from './pack-name.js';
import type { PgPacks } from './pg-packs.js';
import { run, type PgParts } from './pg-parts.js';
import type { PgSettings } from './pg-settings.js';
import type { PgRow } from './pg-package.js';
import { bytes, bytesArray, intArray } from './pg-values.js';

/** How often the database is looked at, in milliseconds: what no notification told is seen then. */
const POLL_INTERVAL = 1_000;

/** How long what is to be told to the others is gathered, in milliseconds. */
const NOTIFY_DELAY = 10;

/** How many rows of counts are added up to one for each queue. */
const TALLY_ROWS = 500;

/**
 * With more dead rows than this, queues are not leased from their beginning; fewer are there
 * between any two vacuums, and cost little.
 */
const LITTER = 20_000;

/** What part of the time, at most, goes into comparing what is leased: it takes longer while old rows stay. */
const COMPARE_PART = 0.05;

/** How long a look waits for writes that are under way, in milliseconds: a writer may hang. */
const HOLD_PATIENCE = 250;

/** What a {@link PgSession} tells. */
export interface SessionHost {
  /** What the database says is leased to this session; answers what of it is to be given back. */
  compare(leased: ReadonlySet<string>): readonly string[];
  readonly settings: PgSettings;
  readonly packs: PgPacks;
}

/**
 * What this owner hears and sees of what others changed, and tells them. It
 * looks when it has heard something, and once a second. One look comes after
 * the other, however much is heard.
 */
export class PgSession {
  private readonly told = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private notifying: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  /** Something was heard that is to be looked at. */
  private isSoon = false;
  /** How long the last look took, in milliseconds. */
  private lastLook = 0;
  private isClosed = false;
  /** After how many losses what is leased was compared, and when. */
  private comparedFor = 0;
  private comparedAt = -Infinity;
  /** How long that took, in milliseconds. */
  private comparing = 0;

  constructor(
    private readonly parts: PgParts,
    private readonly host: SessionHost,
  ) {}

  async begin(): Promise<void> {
    await this.host.settings.begin();
    await this.look();
    this.compared(this.losses);
    this.arm();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.notifying);
    await this.looking;
  }

  /** Tells what is to be told, and ends the session, which has given back what it had leased. */
  async leave(): Promise<void> {
    await this.tellNow();
    await run(this.parts, 'hearer', 'leave', [this.parts.session.id]);
  }

  /** Jobs wait again in these queues, in their former places: the others are told. */
  tellBack(rows: readonly PgRow[]): void {
    const { id } = this.parts.session;
    for (const row of rows as readonly { function: number; priority: StoredPriority }[]) {
      this.queueOf(row.function, row.priority)?.lower();
      this.tell(`ready ${id} ${row.function} ${row.priority} back`);
    }
  }

  /** Tells the others, soon: many things together. */
  tell(message: string): void {
    this.told.add(message);
    this.notifying ??= setTimeout(() => {
      this.notifying = undefined;
      // An owner that does not hear it sees it by looking.
      this.tellNow().catch(() => undefined);
    }, NOTIFY_DELAY);
  }

  /** Hears what another owner told. */
  hear(payload: string): void {
    for (const line of payload.split('\n')) {
      const [word, from, ...rest] = line.split(' ');
      if (from === String(this.parts.session.id)) continue;
      if (word === 'ready') this.hearReady(rest);
      else if (word === 'set') this.hearSet();
      else if (word === 'cancel' && rest[0] === String(this.parts.session.id)) this.lookSoon();
    }
  }

  private hearSet(): void {
    this.host.settings.heard();
    this.lookSoon();
  }

  private hearReady([id, priority, word]: readonly string[]): void {
    const queue = this.queueOf(Number(id), Number(priority) as StoredPriority);
    // A function that is not known yet is known after the look.
    if (queue) queue.isShort = true;
    if (word === 'back') queue?.lower();
    this.lookSoon();
  }

  /** A queue by its function's number; undefined where that is not known here. */
  private queueOf(id: number, priority: StoredPriority): QueueHint | undefined {
    const name = this.parts.functions.name(id);
    return name === '' ? undefined : this.parts.hints.queue(name, priority);
  }

  private lookSoon(): void {
    if (this.isSoon) return;
    this.isSoon = true;
    if (!this.looking) this.arm();
  }

  private arm(): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    // Where looking takes long, most of the time is for other things.
    const delay = this.isSoon ? Math.max(NOTIFY_DELAY, 3 * this.lastLook) : POLL_INTERVAL;
    this.timer = setTimeout(() => this.poll(), Math.min(delay, POLL_INTERVAL)).unref();
  }

  private poll(): void {
    const { health } = this.parts;
    const begun = performance.now();
    this.isSoon = false;
    this.looking = this.pollNow()
      .then(
        () => health.worked('looks'),
        (error: StorageError) => void (this.isClosed || health.failed('looks', error)),
      )
      .finally(() => {
        this.looking = undefined;
        this.lastLook = performance.now() - begun;
        this.arm();
      });
  }

  private async pollNow(): Promise<void> {
    const { losses } = this;
    const begun = performance.now();
    const isDue = begun - this.comparedAt >= Math.max(this.parts.options.leaseTime, this.comparing / COMPARE_PART);
    if ((isDue || losses !== this.comparedFor) && (await this.compareLeases())) {
      this.compared(losses);
      this.comparing = this.comparedAt - begun;
    }
    await this.look();
  }

  /**
   * How often it may have happened that the database has leases or ends which are not known here,
   * or lacks some that are.
   */
  private get losses(): number {
    const { hearer, leaser } = this.parts.connections;
    return hearer.connects + leaser.doubts;
  }

  private compared(losses: number): void {
    this.comparedFor = losses;
    this.comparedAt = performance.now();
  }

  /**
   * The database may have crashed: then what was not waited for, leases and
   * ends of its last moments, may not be there any more. Or nobody heard that a
   * lease was made, perhaps long after it was given up here. Jobs whose end is
   * missing, and those leased that nobody knows of here, run again; leases that
   * are missing are lost. Answers whether that could be found out.
   */
  private async compareLeases(): Promise<boolean> {
    const { id } = this.parts.session;
    const goOn = await this.holdWriters();
    if (!goOn) return false;
    let unknown: readonly string[];
    const leased = new Map<string, LeasedRow>();
    try {
      const { rows } = await run(this.parts, 'hearer', 'leasedBy', [id]);
      for (const row of rows as readonly LeasedRow[]) leased.set(row.handle.toString('latin1'), row);
      unknown = id === this.parts.session.id ? this.host.compare(new Set(leased.keys())) : [];
    } finally {
      goOn();
    }
    if (unknown.length === 0) return true;
    const packed = new PackedJobs();
    for (const handle of unknown) {
      const { maker, number, index } = leased.get(handle)!;
      if (maker !== null) packed.add(new PackName(maker, Number(number)), index!, id);
    }
    await this.host.packs.makeRowsAt(packed, 'hearer');
    const { rows } = await run(this.parts, 'hearer', 'giveBackSome', [id, bytesArray(unknown.map(bytes))]);
    this.tellBack(rows);
    return true;
  }

  /**
   * Keeps everything of this owner's from the database, once what was under way
   * is over and known here; undefined where that takes too long: a writer may
   * wait for a standby that has gone.
   */
  private async holdWriters(): Promise<(() => void) | undefined> {
    const { adder, ender, leaser } = this.parts.connections;
    const holds = [adder, ender, leaser].map((connection) => connection.hold());
    const goOn = (): void => {
      for (const hold of holds) hold.goOn();
    };
    const held = Promise.all(holds.map((hold) => hold.held)).then(() => true);
    if (await Promise.race([held, delay(HOLD_PATIENCE, false, { ref: false })])) {
      await nextTurn();
      return goOn;
    }
    goOn();
    return undefined;
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

  /**
   * Reads the counts of all queues, while no change of this owner's is on its way to them; only
   * where a writer hangs it is not waited for.
   */
  private async look(): Promise<void> {
    const { connections, functions, hints } = this.parts;
    const { hearer } = connections;
    await functions.keep(hearer);
    const goOn = await this.holdWriters();
    let answered: readonly LookRow[];
    try {
      answered = (await run(this.parts, 'hearer', 'counts', [this.parts.session.id])).rows as readonly LookRow[];
    } finally {
      goOn?.();
    }
    const rows = answered.filter(isOfQueue);
    await functions.learn(
      rows.map((row) => row.function),
      hearer,
    );
    hints.isLittered = Number(answered[0]?.dead) > LITTER;
    const unseen = new Set(hints.queues);
    for (const row of rows) {
      const queue = hints.queue(functions.name(row.function), row.priority);
      unseen.delete(queue);
      this.saw(queue, [Number(row.total), Number(row.waiting), Number(row.scheduled)]);
    }
    for (const queue of unseen) this.saw(queue, [0, 0, 0]);
    await this.lookForTimes();
    if (answered[0]?.cancelled) await this.lookForCancels();
    await this.host.settings.look();
    await this.parts.dead.look(hearer);
    await this.parts.ages.look(hearer);
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

/** A job that is leased to this session: where it is in a pack, or with nulls in a row of its own. */
interface LeasedRow {
  readonly handle: Buffer;
  readonly maker: number | null;
  readonly number: string | null;
  readonly index: number | null;
}

interface LookRow {
  /** Null where no queue has any counts. */
  readonly function: number | null;
  /** How many rows of the whole table of jobs are dead, the same in every row. */
  readonly dead: string;
  /** Whether this owner is to cancel jobs, the same in every row. */
  readonly cancelled: boolean;
}

interface CountRow extends LookRow {
  readonly function: number;
  readonly priority: StoredPriority;
  readonly total: string;
  readonly waiting: string;
  readonly scheduled: string;
  readonly rows: number;
}

function isOfQueue(row: LookRow): row is CountRow {
  return row.function !== null;
}
