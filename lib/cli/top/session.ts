import { setTimeout as wait } from 'node:timers/promises';
import { oneLine } from '../../ground/index.js';
import type { AdminClient } from '../../driver/index.js';
import type { Line } from './frame.js';
import { functionFrame, functionLines, type FunctionDetails } from './function-frame.js';
import { helpFrame } from './help-frame.js';
import { listFrame, listLines } from './list-frame.js';
import { unread, withProblem, withReading, type Reading, type Watched } from './readings.js';
import { rowsOf, type Row } from './rows.js';
import type { Screen } from './screen.js';
import { answered, FIRST_VIEW, keyOf, press, type Key, type RowKey, type View, type Wish } from './view.js';

/** The watched job servers, by the address that was given. */
export type AdminClients = ReadonlyMap<string, AdminClient>;

/** Asks a job server for everything that `top` shows of it. */
export async function readFrom(admin: AdminClient): Promise<Reading> {
  const functions = await admin.functions();
  const activity = await admin.activity();
  return {
    at: performance.now(),
    functions,
    activity: activity && new Map(activity.map((row) => [row.function, row])),
  };
}

/** A person at a screen: asks the job servers again and again, and shows their answers. */
export class TopSession {
  private readonly watched: Map<string, Watched>;
  private rows: readonly Row[] = [];
  private view: View = FIRST_VIEW;
  private details: { readonly of: RowKey; readonly told: FunctionDetails } | undefined;
  private readonly ending = new AbortController();

  constructor(
    private readonly admins: AdminClients,
    private readonly screen: Screen,
    private readonly interval: number,
  ) {
    this.watched = new Map([...admins.keys()].map((server) => [server, unread(server)]));
  }

  /** Shows the screen until the person leaves, or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const quit = (): void => this.ending.abort();
    signal.addEventListener('abort', quit, { once: true });
    try {
      this.screen.open({ key: (key) => this.press(key), stale: () => this.draw(), gone: quit });
      this.draw();
      await Promise.all([...this.admins.keys()].map((server) => this.watch(server)));
    } finally {
      signal.removeEventListener('abort', quit);
      this.screen.close();
    }
  }

  /** Asks each job server at its own pace, so that one that does not answer delays no other. */
  private async watch(server: string): Promise<void> {
    const { signal } = this.ending;
    const isOver = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted) {
      await Promise.race([this.read(server), isOver]);
      await wait(this.interval, undefined, { signal }).catch(() => undefined);
    }
  }

  private async read(server: string): Promise<void> {
    const before = (): Watched => this.watched.get(server)!;
    const admin = this.admins.get(server)!;
    try {
      const reading = await readFrom(admin);
      this.watched.set(server, withReading(before(), reading));
      await this.readDetails(server, admin);
    } catch (error) {
      this.watched.set(server, withProblem(before(), oneLine((error as Error).message)));
    }
    this.rows = rowsOf([...this.watched.values()]);
    this.draw();
  }

  private async readDetails(server: string, admin: AdminClient): Promise<void> {
    const { page, chosen } = this.view;
    const row = this.rows.find((candidate) => keyOf(candidate) === chosen);
    if (page !== 'function' || row?.server !== server) return;
    const workers = (await admin.workers()).filter(({ functions }) => functions.includes(row.function));
    this.details = { of: keyOf(row), told: { workers, jobs: await admin.jobsOf(row.function) } };
  }

  private press(key: Key): void {
    const { size } = this.screen;
    const lines = this.view.page === 'list' ? listLines(size, [...this.watched.values()]) : functionLines(size);
    const { view, wish } = press(this.view, key, this.rows, lines);
    this.view = view;
    if (wish) this.fulfil(wish);
    this.draw();
  }

  private fulfil(wish: Wish): void {
    switch (wish.kind) {
      case 'quit':
        return this.ending.abort();
      case 'suspend':
        return this.screen.stop();
      case 'redraw':
        return this.screen.clear();
      case 'read':
        for (const server of this.admins.keys())
          if (this.view.chosen?.startsWith(`${server}\n`)) void this.read(server);
        return;
      case 'pause':
      case 'resume':
        void this.set(wish.kind, wish.row);
    }
  }

  private async set(what: 'pause' | 'resume', { server, function: name, name: shown }: Row): Promise<void> {
    const admin = this.admins.get(server)!;
    try {
      await (what === 'pause' ? admin.pauseFunction(name) : admin.resumeFunction(name));
      this.view = answered(this.view, what === 'pause' ? `${shown} is paused.` : `${shown} goes on.`);
    } catch (error) {
      this.view = answered(this.view, oneLine((error as Error).message));
    }
    await this.read(server);
  }

  private draw(): void {
    if (!this.ending.signal.aborted) this.screen.draw(this.frame());
  }

  private frame(): readonly Line[] {
    const { view, rows } = this;
    const { size } = this.screen;
    const clock = new Date().toTimeString().slice(0, 8);
    switch (view.page) {
      case 'help':
        return helpFrame(size);
      case 'function': {
        const row = rows.find((candidate) => keyOf(candidate) === view.chosen);
        const details = this.details?.of === view.chosen ? this.details?.told : undefined;
        return functionFrame({ row, details, view, clock }, size);
      }
      case 'list':
        return listFrame({ watched: [...this.watched.values()], rows, view, clock }, size);
    }
  }
}
