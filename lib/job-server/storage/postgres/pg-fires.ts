import type { FireOutcome } from '../job-storage.js';
import { laterTick } from '../last-tick.js';
import type { JobRecord } from '../stored-job.js';
import { Gathered } from './gathered.js';
import { run, type PgParts } from './pg-parts.js';
import { addedJob, jobArrays, sortedForAdding } from './pg-rows.js';
import type { PgSettings } from './pg-settings.js';
import { bytesArray } from './pg-values.js';

/** How many ticks are fired together. */
const MAX_BATCH = 500;

/** A tick that is to fire, by the name of the setting that keeps it; without a job it is passed over. */
export interface Fire {
  readonly name: string;
  readonly tick: number;
  readonly job?: JobRecord | undefined;
}

/** Fires ticks: all that come while others are fired are fired together next, in one commit. */
export class PgFires {
  private readonly fires: Gathered<Fire, FireOutcome>;

  constructor(
    private readonly parts: PgParts,
    private readonly settings: PgSettings,
    flushed: () => Promise<void>,
  ) {
    this.fires = new Gathered(async (fires) => {
      await flushed();
      const fired = new Set<Fire>();
      for (const round of roundsOf(fires)) for (const fire of await this.fireRound(round)) fired.add(fire);
      return fires.map((fire) => (fired.has(fire) ? 'fired' : 'known'));
    }, MAX_BATCH);
  }

  fire(fire: Fire): Promise<FireOutcome> {
    return this.fires.of(fire);
  }

  /** Fires ticks, each of another schedule, since a statement changes a row once. Answers those that fired. */
  private async fireRound(round: readonly Fire[]): Promise<Fire[]> {
    const values = new Map([...(await this.fireJobs(round)), ...(await this.passOver(round))]);
    const [fired, late] = [round.filter(({ name }) => values.has(name)), round.filter(({ name }) => !values.has(name))];
    const { known } = this.settings;
    for (const { name, tick } of fired) {
      // A later tick, fired by another job server since, may be known already.
      if (laterTick(known.get(name), tick, undefined) !== undefined) this.settings.learn(name, values.get(name)!);
    }
    if (late.length === 0) return fired;
    // Somebody else has fired it, or a later one: what is known from now on is what the database has.
    const { rows } = await run(this.parts, 'adder', 'settingsNamed', [bytesArray(late.map(({ name }) => name))]);
    for (const [name, value] of rows.map(settingIn)) this.settings.learn(name, value);
    return fired;
  }

  /** Answers what is written, by name. */
  private async fireJobs(round: readonly Fire[]): Promise<[string, string][]> {
    const fires = round.flatMap(({ name, tick, job }) =>
      job ? [{ name, job, value: laterTick(undefined, tick, job.handle)! }] : [],
    );
    if (fires.length === 0) return [];
    const { connections, functions } = this.parts;
    await functions.make(
      fires.map(({ job }) => job.function),
      connections.adder,
    );
    const rows = sortedForAdding(this.parts, fires);
    const { rows: answers } = await run(this.parts, 'adder', 'fire', [
      ...jobArrays(
        this.parts,
        rows.map(({ job }) => job),
      ),
      bytesArray(rows.map(({ name }) => name)),
      bytesArray(rows.map(({ value }) => Buffer.from(value))),
    ]);
    const { fresh, made } = answers[0] as { readonly fresh: readonly Buffer[]; readonly made: readonly Buffer[] };
    const handles = new Set(made.map(textOf));
    for (const { job } of fires) if (handles.has(job.handle)) addedJob(this.parts, job);
    const names = new Set(fresh.map(textOf));
    return fires.flatMap(({ name, value }) => (names.has(name) ? [[name, value]] : []));
  }

  private async passOver(round: readonly Fire[]): Promise<[string, string][]> {
    const passed = round.filter(({ job }) => !job).sort((one, other) => (one.name < other.name ? -1 : 1));
    if (passed.length === 0) return [];
    const { rows } = await run(this.parts, 'adder', 'passTicks', [
      bytesArray(passed.map(({ name }) => name)),
      bytesArray(passed.map(({ tick }) => String(tick))),
    ]);
    return rows.map(settingIn);
  }
}

/** The fires in their order, none of a schedule twice in a round. */
function roundsOf(fires: readonly Fire[]): Fire[][] {
  const rounds: Fire[][] = [];
  const counts = new Map<string, number>();
  for (const fire of fires) {
    const count = counts.get(fire.name) ?? 0;
    counts.set(fire.name, count + 1);
    (rounds[count] ??= []).push(fire);
  }
  return rounds;
}

function settingIn(row: unknown): [string, string] {
  const { name, value } = row as { readonly name: Buffer; readonly value: Buffer };
  return [textOf(name), value.toString()];
}

function textOf(buffer: Buffer): string {
  return buffer.toString('latin1');
}
