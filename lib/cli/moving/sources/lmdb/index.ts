import type { StoredJob } from '../../../../job-server/storage/index.js';
import { originOf, Setting, Unfit, type Incoming, type Source } from '../../incoming.js';
import { readJournals } from './journal.js';
import { jobsOfPack, readMarks, type Marks } from './pack.js';
import {
  asPriority,
  checked,
  readDead,
  readEnded,
  FieldReader,
  readJob,
  RecordError,
  type JobFields,
} from './records.js';
import { Tables, type Row } from './tables.js';

/** The position of a waiting job: the number of its function, its priority, its time, its sequence. */
type Place = readonly [functionId: number, priority: number, at: number, sequence: number];

/** A job at its position. */
interface Placed {
  readonly place: Place;
  readonly what: Incoming | Unfit;
}

const NOTHING_MARKED: Marks = { gone: new Set(), counters: new Map() };

/**
 * Everything in a folder of the former format, in LMDB: the jobs in their order,
 * from rows of their own, packs and journals; dead letters, kept results and
 * settings. A job is identified by its handle, which is unique.
 */
export async function* jobsOfLmdb(folder: string): Source {
  const tables = await Tables.open(folder);
  try {
    for (const { key, value } of tables.rows('settings')) yield new Setting(key.toString('latin1'), value.toString());
    const waiting = new Waiting(tables);
    yield* waiting.all();
    for (const row of tables.rows('dead')) {
      yield orUnfit(tables, () => {
        const { job, error } = readDead(checked(row.value, tables.isOld));
        return incoming(job, { error, diedAt: row.key.readUIntBE(0, 6) });
      });
    }
    for (const row of tables.rows('ended')) {
      yield orUnfit(tables, () => {
        const { job, outcome } = readEnded(checked(row.value, tables.isOld));
        return incoming(job, { ...outcome, keepUntil: row.key.readUIntBE(0, 6) });
      });
    }
  } finally {
    await tables.close();
  }
}

/** The waiting jobs of a folder, which are in up to three places. */
class Waiting {
  private readonly names = new Map<number, string>();

  constructor(private readonly tables: Tables) {
    for (const { key, value } of tables.rows('functions'))
      this.names.set(new FieldReader(value).varint(), key.toString('latin1'));
  }

  *all(): Generator<Incoming | Unfit> {
    const { jobs, damages } = readJournals(this.tables.folder, this.tables.journalMark);
    for (const damage of damages) yield new Unfit(`${this.tables.folder}: ${damage}`);
    const journaled = this.journaled(jobs);
    for (const { what } of merged([this.single(), this.packed(), journaled[Symbol.iterator]()])) yield what;
  }

  /** Jobs with rows of their own. */
  private *single(): Generator<Placed> {
    for (const { key, value } of this.tables.rows('jobs')) {
      const place = placeOf(key);
      yield { place, what: this.job(place, () => readJob(checked(value, this.tables.isOld))) };
    }
  }

  /** Jobs that share a row with others. */
  private *packed(): Generator<Placed> {
    for (const row of this.tables.rows('packs')) {
      const [functionId, priority, at, first] = placeOf(row.key);
      try {
        const marks = this.marksOf(row);
        for (const [index, { sequence, read }] of jobsOfPack(row.value, first).entries()) {
          if (marks.gone.has(index)) continue;
          const place = [functionId, priority, at, sequence] as const;
          yield { place, what: this.job(place, () => ({ ...read(), ...marks.counters.get(index) })) };
        }
      } catch (error) {
        yield { place: placeOf(row.key), what: unfit(this.tables, error) };
      }
    }
  }

  /** What became of a pack's jobs since. If that cannot be read, all of them run again, which is better than losing them. */
  private marksOf({ key }: Row): Marks {
    const bytes = this.tables.get('marks', key);
    try {
      return bytes ? readMarks(checked(bytes, false)) : NOTHING_MARKED;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return NOTHING_MARKED;
    }
  }

  private job([functionId, priority, at]: Place, read: () => JobFields): Incoming | Unfit {
    return orUnfit(this.tables, () => {
      const name = this.names.get(functionId);
      if (name === undefined) throw new RecordError('its function has no name');
      return incoming({ ...read(), function: name, priority: asPriority(priority), at });
    });
  }

  /** Jobs that are only in journals. If the file no longer knows that such a job has ended, the job runs again. */
  private journaled(jobs: readonly StoredJob[]): Placed[] {
    if (jobs.length === 0) return [];
    const known = this.handles();
    const ids = new Map([...this.names].map(([id, name]) => [name, id]));
    return jobs
      .filter(({ handle }) => !known.has(handle))
      .map(({ sequence, ...job }): Placed => {
        const place = [ids.get(job.function) ?? Infinity, job.priority, job.at, sequence] as const;
        return { place, what: incoming(job) };
      })
      .sort((one, other) => compare(one.place, other.place));
  }

  /** All handles in the file, also those of jobs that have left their packs. */
  private handles(): Set<string> {
    const { tables } = this;
    const handles = new Set<string>();
    const see = (read: () => string): void => {
      try {
        handles.add(read());
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
      }
    };
    for (const { value } of tables.rows('jobs')) see(() => readJob(checked(value, tables.isOld)).handle);
    for (const { value } of tables.rows('dead')) see(() => readDead(checked(value, tables.isOld)).job.handle);
    for (const { value } of tables.rows('ended')) see(() => readEnded(checked(value, tables.isOld)).job.handle);
    for (const { value } of tables.rows('packs')) {
      see(() => {
        for (const { read } of jobsOfPack(value, 0)) see(() => read().handle);
        return '';
      });
    }
    return handles;
  }
}

/** The position in the key of a job, or of the first job of a pack. */
function placeOf(key: Buffer): Place {
  return [key.readUInt32BE(0), key[4]!, key.readUIntBE(5, 6), key.readUIntBE(11, 6)];
}

/** Several ordered sources as one ordered source. */
function* merged(sources: Iterator<Placed>[]): Generator<Placed> {
  const heads = sources.map((source) => ({ source, head: source.next() }));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const each of heads) {
      if (each.head.done) continue;
      if (!first || compare(each.head.value.place, (first.head.value as Placed).place) < 0) first = each;
    }
    if (!first) return;
    yield first.head.value as Placed;
    first.head = first.source.next();
  }
}

function compare(one: Place, other: Place): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at]! < other[at]! ? -1 : 1;
}

function incoming(job: Incoming['job'], past?: Incoming['past']): Incoming {
  return { job, origin: originOf('lmdb', job.handle), ...(past && { past }) };
}

function orUnfit(tables: Tables, read: () => Incoming): Incoming | Unfit {
  try {
    return read();
  } catch (error) {
    return unfit(tables, error);
  }
}

function unfit({ folder }: Tables, error: unknown): Unfit {
  if (!(error instanceof RecordError)) throw error;
  return new Unfit(`${folder}: ${error.message}`, { cause: error });
}
