import type { StorageListener } from '../job-storage.js';
import { ReadyQueues } from '../ready-queues.js';
import { StorageWrites } from '../storage-health.js';
import { PgAdds } from './pg-adds.js';
import { PgBeat } from './pg-beat.js';
import { PgAges } from './pg-ages.js';
import { PgConnection } from './pg-connection.js';
import { PgDead } from './pg-dead.js';
import { PgEnds } from './pg-ends.js';
import type { PgEntry } from './pg-entry.js';
import { PgFind } from './pg-find.js';
import { PgFires } from './pg-fires.js';
import { PgFunctions } from './pg-functions.js';
import { PgHealth } from './pg-health.js';
import { PgHints, type QueueHint } from './pg-hints.js';
import type { CheckedPgOptions } from './pg-options.js';
import { PgPacks } from './pg-packs.js';
import type { PgParts } from './pg-parts.js';
import { prepareSchema } from './pg-schema.js';
import { PgSession } from './pg-session.js';
import { PgSettings } from './pg-settings.js';
import { statementsFor } from './pg-statements.js';

/** How long a close waits for a database that cannot be reached, in milliseconds. */
const CLOSE_PATIENCE = 3_000;

/** A storage in PostgreSQL while it is open. */
export class OpenPg {
  readonly parts: PgParts;
  readonly adds: PgAdds;
  readonly ends: PgEnds;
  readonly beat: PgBeat;
  readonly session: PgSession;
  /** Single leases whose jobs are not known here yet. */
  unknownLeases = 0;
  readonly settings: PgSettings;
  readonly fires: PgFires;
  readonly find: PgFind;
  readonly packs: PgPacks;
  /** Jobs from elsewhere that are being added, and ticks that are being fired. */
  private readonly underWay = new Set<Promise<unknown>>();
  private isOpen = true;

  private constructor(options: CheckedPgOptions, listener: StorageListener, packFrom: number) {
    const { schema } = options;
    const functions = new PgFunctions(schema);
    const hints = new PgHints();
    const hear = (payload: string): void => this.session.hear(payload);
    const writer = (isSynchronous: boolean): PgConnection => new PgConnection(options, { isSynchronous });
    const channel = options.listen ? { name: `${schema}_jobs`, hear } : undefined;
    this.parts = {
      options,
      packFrom,
      statements: statementsFor(schema),
      listener: this.while(listener),
      functions,
      hints,
      health: new PgHealth(this.while(listener)),
      writes: new StorageWrites(),
      dead: new PgDead(schema, functions),
      ages: new PgAges(schema, functions, hints),
      owned: new Map(),
      session: { id: 0, all: [0], mayPack: false },
      ready: new ReadyQueues<QueueHint>(
        (queue) => queue.name,
        (name) => this.tellReady(name.function, name.priority),
      ),
      connections: {
        adder: writer(true),
        ender: writer(false),
        leaser: writer(false),
        hearer: new PgConnection(options, { isSynchronous: false, ...(channel && { channel }) }),
      },
    };
    this.settings = new PgSettings(this.parts, () => this.session.tell(`set ${this.parts.session.id}`));
    this.fires = new PgFires(this.parts, this.settings, () => this.flushQueues());
    this.find = new PgFind(this.parts);
    this.packs = new PgPacks(this.parts);
    this.ends = new PgEnds(this.parts, this.settings, this.packs);
    this.adds = new PgAdds(
      this.parts,
      this.packs,
      () => this.ends.flush(),
      (entry) => {
        if (entry.end || entry.isChanged) this.ends.add(entry);
      },
    );
    this.session = new PgSession(this.parts, {
      compare: (leased) => this.compare(leased),
      settings: this.settings,
      packs: this.packs,
    });
    this.beat = new PgBeat(this.parts, {
      lost: (oldId) => this.lost(oldId),
      gaveBack: (rows) => this.session.tellBack(rows),
    });
  }

  static async open(options: CheckedPgOptions, listener: StorageListener, packFrom: number): Promise<OpenPg> {
    const opened = new OpenPg(options, listener, packFrom);
    try {
      await prepareSchema(opened.parts.connections.hearer, options.schema);
      await opened.beat.begin();
      await opened.session.begin();
      return opened;
    } catch (error) {
      await opened.stopLooking();
      await opened.disconnect();
      throw error;
    }
  }

  /** Writes what waits to be written, gives back what is leased, and ends. */
  async close(): Promise<void> {
    const deadline = setTimeout(() => {
      this.adds.end();
      this.ends.end();
    }, CLOSE_PATIENCE);
    try {
      await this.flush();
      await this.stopLooking();
      await this.beat.giveBack([this.parts.session.id]);
      await this.session.leave();
    } finally {
      clearTimeout(deadline);
      this.isOpen = false;
      this.adds.end();
      this.ends.end();
      await this.stopLooking();
      await this.disconnect();
    }
  }

  /** Resolves when all told so far is written; rejects when it cannot be. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.underWay);
    await this.flushQueues();
  }

  /** Adds a job from elsewhere, after what was told before; {@link flush} waits for it. */
  addOnce<Outcome>(add: () => Promise<Outcome>): Promise<Outcome> {
    return this.track(this.flushQueues().then(add));
  }

  /** {@link flush} waits for this. */
  track<Outcome>(adding: Promise<Outcome>): Promise<Outcome> {
    this.underWay.add(adding);
    const over = (): boolean => this.underWay.delete(adding);
    adding.then(over, over);
    return adding;
  }

  private async flushQueues(): Promise<void> {
    await this.adds.flush();
    await this.ends.flush();
  }

  private tellReady(name: string, priority: 0 | 1 | 2): void {
    const { functions, hints, listener, session } = this.parts;
    const queue = hints.queue(name, priority);
    const back = queue.isBack ? ' back' : '';
    queue.isBack = false;
    listener.ready(name, priority);
    this.session.tell(`ready ${session.id} ${functions.id(name) ?? 0} ${priority}${back}`);
  }

  /** This session was taken for dead: what it had leased belongs to others. */
  private lost(oldId: number): void {
    this.loseIf((entry) => entry.owner === oldId);
  }

  /**
   * Jobs that count as leased here and are not leased in the database are lost; answers those
   * leased there that are not known here.
   */
  private compare(leased: ReadonlySet<string>): string[] {
    const { owned } = this.parts;
    // The jobs of these leases will be known in a moment.
    if (this.unknownLeases > 0) return [];
    this.loseIf(({ job }) => !leased.has(job.handle));
    const [adding, ending] = [this.adds.handles(), this.ends.handles()];
    return [...leased].filter((handle) => !owned.has(handle) && !ending.has(handle) && !adding.has(handle));
  }

  private async stopLooking(): Promise<void> {
    await Promise.all([this.session.close(), this.beat.close()]);
  }

  private loseIf(isLost: (entry: PgEntry) => boolean): void {
    const { owned, listener } = this.parts;
    const lost = [...owned.values()].filter((entry) => entry.phase === 'written' && isLost(entry));
    this.ends.forget(lost);
    for (const entry of lost) owned.delete(entry.job.handle);
    if (lost.length > 0) listener.lost?.(lost.map(({ job }) => job.handle));
  }

  private async disconnect(): Promise<void> {
    await Promise.all(Object.values(this.parts.connections).map((connection) => connection.close()));
  }

  /** A listener that is told nothing more after the close. */
  private while(listener: StorageListener): StorageListener {
    return {
      ready: (name, priority) => this.isOpen && listener.ready(name, priority),
      trouble: (error) => this.isOpen && listener.trouble(error),
      setAside: (record) => listener.setAside(record),
      lost: (handles) => this.isOpen && listener.lost?.(handles),
      cancel: (handle) => this.isOpen && listener.cancel?.(handle),
      set: (name, value) => this.isOpen && listener.set?.(name, value),
      clock: (date, within) => this.isOpen && listener.clock?.(date, within),
      fenced: (isFenced) => this.isOpen && listener.fenced?.(isFenced),
    };
  }
}
