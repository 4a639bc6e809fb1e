import { randomInt } from 'node:crypto';
import type { StorageError } from '../storage-error.js';
import type { PgRow } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { intArray } from './pg-values.js';

/** How long after it failed to show a sign of life an owner tries again at the latest, in milliseconds. */
const RETRY_DELAY = 250;

/**
 * For which part of the lease time an owner that cannot show a sign of life still gives out jobs;
 * the others wait for all of it.
 */
const SURE_PART = 0.8;

/** After how many lease times jobs are looked for that are leased to nobody known. */
const ORPHAN_LEASES = 6;

/** The numbers of sessions are below. */
const MAX_ID = 2 ** 31;

/** What a {@link PgBeat} tells. */
export interface BeatHost {
  /** The session was taken for dead, and another one has begun. */
  lost(oldId: number): void;
  /** Jobs of owners that died wait again: rows of function and priority. */
  gaveBack(rows: readonly PgRow[]): void;
}

/**
 * This owner's sign of life, and what it sees of the others'.
 *
 * Nobody compares clocks. An owner is taken for dead by one that looked all the
 * while and saw its beat unchanged for `leaseTime` of its own clock of
 * durations. The dead one's number is fenced at once: what it still writes
 * under it has no effect, and its jobs wait again.
 *
 *   beat sent --> seen by others ------- leaseTime -------> taken for dead
 *       |------------ 0.8 leaseTime ---------> fenced: gives out nothing
 */
export class PgBeat {
  /** Of other owners: the beat last seen, and since when. */
  private seen = new Map<number, { readonly beat: string; readonly since: number }>();
  private lookedAt = -Infinity;
  private lastTakeover = -Infinity;
  private lastOrphans = -Infinity;
  /** Until when nobody has taken this session for dead. */
  private sureUntil = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private fence: NodeJS.Timeout | undefined;
  private wasFenced = false;
  private beating: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    private readonly parts: PgParts,
    private readonly host: BeatHost,
  ) {}

  /** Whether others may have this owner's leases by now: it did not show them for long that it is alive. */
  get isFenced(): boolean {
    return !this.isClosed && performance.now() >= this.sureUntil;
  }

  /** Begins the session; one of the same name ends. */
  async begin(): Promise<void> {
    const { name } = this.parts.options;
    const ousted = await run(this.parts, 'hearer', 'oust', [name]);
    const ids = ousted.rows.map((row) => (row as { readonly id: number }).id);
    if (ids.length > 0) await this.giveBack(ids);
    this.confirm(await this.join());
    const owners = (await run(this.parts, 'hearer', 'owners')).rows as readonly OwnerRow[];
    this.learnWhetherToPack(owners);
    this.arm(this.interval);
  }

  /** Shows no more signs of life. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.fence);
    await this.beating;
  }

  /** Gives back what sessions had leased. */
  async giveBack(ids: readonly number[]): Promise<void> {
    const { rows } = await run(this.parts, 'hearer', 'giveBack', [intArray(ids)]);
    this.host.gaveBack(rows);
    this.host.gaveBack((await run(this.parts, 'hearer', 'giveBackPacks', [intArray(ids)])).rows);
  }

  private get interval(): number {
    return this.parts.options.leaseTime / 5;
  }

  private arm(delay: number): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.beating = this.beat()), delay).unref();
  }

  private async beat(): Promise<void> {
    const { health } = this.parts;
    const begun = performance.now();
    try {
      await this.beatOnce(begun);
      health.worked('beats');
      this.arm(this.interval - (performance.now() - begun));
    } catch (error) {
      // While this one does not see them, nobody is taken for dead.
      this.seen.clear();
      if (!this.isClosed) health.failed('beats', error as StorageError);
      this.arm(Math.min(this.interval, RETRY_DELAY));
    }
  }

  private async beatOnce(begun: number): Promise<void> {
    const { id } = this.parts.session;
    const owners = (await run(this.parts, 'hearer', 'beat', [id])).rows as readonly OwnerRow[];
    const [any] = owners;
    if (any?.alive === 1) {
      this.confirm(begun);
      this.parts.listener.clock?.(Number(any.date), performance.now() - begun);
    } else {
      const joined = await this.join();
      this.host.lost(id);
      // Where its row is gone, nobody else would do that soon.
      await this.giveBack([id]);
      this.confirm(joined);
    }
    this.learnWhetherToPack(owners);
    await this.lookAtOthers(owners, begun);
  }

  /** While job servers older than the tables go on, jobs are written so that these see them. */
  private learnWhetherToPack(owners: readonly OwnerRow[]): void {
    this.parts.session.mayPack = owners.every(({ dead, packs }) => dead || packs);
  }

  /** Begins a session under a new number; answers when that was asked for, on the clock of durations. */
  private async join(): Promise<number> {
    const { options, session } = this.parts;
    for (;;) {
      const begun = performance.now();
      // Drawn: a database that has lost its last moments would give out the next number of a sequence twice.
      const id = randomInt(1, MAX_ID);
      const { rows } = await run(this.parts, 'adder', 'join', [id, options.name, options.address]);
      if (rows.length === 0) continue;
      session.id = id;
      session.all.push(id);
      return begun;
    }
  }

  /** A sign of life that was given at `since` has come to the database. */
  private confirm(since: number): void {
    this.sureUntil = since + SURE_PART * this.parts.options.leaseTime;
    this.lookAtFence();
  }

  /** Tells the listener when it becomes fenced, or no longer is, and looks again when it would become so. */
  private lookAtFence(): void {
    clearTimeout(this.fence);
    if (this.isClosed) return;
    this.tellFence();
    if (this.wasFenced) return;
    // A timer may come a moment early: then it is armed again.
    const left = Math.max(0, Math.ceil(this.sureUntil - performance.now()));
    this.fence = setTimeout(() => this.lookAtFence(), left).unref();
  }

  private tellFence(): void {
    const { isFenced } = this;
    if (isFenced === this.wasFenced) return;
    this.wasFenced = isFenced;
    this.parts.listener.fenced?.(isFenced);
  }

  private async lookAtOthers(owners: readonly OwnerRow[], begun: number): Promise<void> {
    const now = performance.now();
    // An owner that did not look for long has not seen who was silent all the while.
    if (now - this.lookedAt > this.parts.options.leaseTime) this.seen.clear();
    this.lookedAt = now;
    const seen = new Map<number, { readonly beat: string; readonly since: number }>();
    const dead: number[] = [];
    for (const { id, beat, dead: isDead } of owners) {
      if (isDead) dead.push(id);
      else if (id !== this.parts.session.id) {
        const before = this.seen.get(id);
        seen.set(id, before?.beat === beat ? before : { beat, since: now });
      }
    }
    this.seen = seen;
    for (const [id, { beat, since }] of seen) {
      if (begun - since < this.parts.options.leaseTime) continue;
      const taken = await run(this.parts, 'hearer', 'takeForDead', [id, beat]);
      if (taken.rows.length === 0) continue;
      dead.push(id);
      // So that its jobs are given back in this very turn.
      this.lastTakeover = -Infinity;
    }
    await this.giveBackOrphans(begun);
    const isDue = begun - this.lastTakeover >= this.parts.options.leaseTime / 2;
    if (dead.length === 0 || !isDue) return;
    this.lastTakeover = begun;
    await this.giveBack(dead);
    await run(this.parts, 'hearer', 'sweep');
  }

  private async giveBackOrphans(now: number): Promise<void> {
    if (now - this.lastOrphans < ORPHAN_LEASES * this.parts.options.leaseTime) return;
    this.lastOrphans = now;
    for (const statement of ['giveBackOrphans', 'giveBackOrphanPacks'] as const) {
      this.host.gaveBack((await run(this.parts, 'hearer', statement)).rows);
    }
  }
}

interface OwnerRow {
  readonly id: number;
  readonly beat: string;
  readonly dead: boolean;
  /** Whether it knows packs. */
  readonly packs: boolean;
  /** 1 where the owner that asks is alive, and the database's clock: the same in every row. */
  readonly alive: number;
  readonly date: string;
}
