import { earlier } from '../stored-job.js';
import type { PgConnection } from './pg-connection.js';
import type { PgFunctions } from './pg-functions.js';
import type { PgHints, QueueHint } from './pg-hints.js';
import { bigArray, intArray } from './pg-values.js';

/** How long after somebody asked a queue is still looked at, in milliseconds. */
const WANTED_FOR = 60_000;

/** How many queues are looked at together; with more of them each is looked at less often. */
const MAX_LOOKS = 1_000;

/** What is known of a queue's next jobs. */
interface Age {
  askedAt: number;
  lookedAt: number;
  /** When the next one without a time was accepted; undefined where there is none, or nobody knows. */
  ready: number | undefined;
  /** Since when the next one with a time can be taken, or from when on. */
  timed: number | undefined;
}

/** Since when the oldest jobs wait: looked up now and then, for the queues that somebody asks about. */
export class PgAges {
  private readonly ages = new Map<QueueHint, Age>();

  constructor(
    private readonly schema: string,
    private readonly functions: PgFunctions,
    private readonly hints: PgHints,
  ) {}

  /** As last looked at; asking has it looked at again soon. */
  oldest(queue: QueueHint, now: number): number | undefined {
    let age = this.ages.get(queue);
    if (!age) this.ages.set(queue, (age = { askedAt: 0, lookedAt: -Infinity, ready: undefined, timed: undefined }));
    age.askedAt = performance.now();
    const [, waiting, scheduled] = queue.counts;
    const timed = scheduled > 0 ? (age.timed ?? queue.times[0]) : undefined;
    return earlier(
      waiting > scheduled ? age.ready : undefined,
      timed !== undefined && timed <= now ? timed : undefined,
    );
  }

  /** Looks at those that were asked for, longest not looked at first. */
  async look(connection: PgConnection): Promise<void> {
    const now = performance.now();
    for (const [queue, { askedAt }] of this.ages) if (now - askedAt > WANTED_FOR) this.ages.delete(queue);
    const asked = [...this.ages].filter(([{ counts }]) => counts[1] > 0);
    asked.sort(([, one], [, other]) => one.lookedAt - other.lookedAt);
    const queues = asked.slice(0, MAX_LOOKS).map(([queue]) => queue);
    if (queues.length === 0) return;
    const places = queues.map(({ lookedAtFrom }) => lookedAtFrom.begin(now, this.hints.isLittered));
    const values = [
      intArray(queues.map(({ name }) => this.functions.id(name.function) ?? 0)),
      intArray(queues.map(({ name }) => name.priority)),
      bigArray(places),
    ];
    let rows: readonly AgeRow[] = [];
    try {
      rows = (await connection.query({ name: 'ages', text: this.statement, values })).rows as readonly AgeRow[];
    } finally {
      this.looked(queues, rows);
    }
    for (const row of rows) {
      const queue = this.hints.queue(this.functions.name(row.function), row.priority);
      const age = this.ages.get(queue);
      if (age) Object.assign(age, { lookedAt: now, ready: timeOf(row.ready), timed: timeOf(row.timed) });
    }
  }

  /** Queues were looked at, with what was found, or in vain. */
  private looked(queues: readonly QueueHint[], rows: readonly AgeRow[]): void {
    const now = performance.now();
    const first = new Map<QueueHint, number>();
    for (const { function: id, priority, seq } of rows) {
      if (seq !== null) first.set(this.hints.queue(this.functions.name(id), priority), Number(seq));
    }
    for (const queue of queues) queue.lookedAtFrom.end(now, first.get(queue), !first.has(queue));
  }

  private get statement(): string {
    const { schema } = this;
    const next = (table: string): string =>
      `${schema}.${table} WHERE owner = 0 AND function = q.function AND priority = q.priority`;
    return `SELECT q.function, q.priority, r.seq, r.since AS ready, t.since AS timed
      FROM unnest($1::int[], $2::int[], $3::bigint[]) q (function, priority, place)
      LEFT JOIN LATERAL (
        (SELECT seq, accepted AS since FROM ${next('job')} AND at = 0 AND seq >= q.place ORDER BY at, seq LIMIT 1)
        UNION ALL (SELECT seq, accepted + delays[seq - base + 1] FROM ${next('pack')} AND seq >= q.place ORDER BY seq LIMIT 1)
        ORDER BY seq LIMIT 1) r ON true
      LEFT JOIN LATERAL (SELECT greatest(at, accepted) AS since FROM ${next('job')} AND at > 0 ORDER BY at, seq LIMIT 1) t ON true`;
  }
}

interface AgeRow {
  readonly function: number;
  readonly priority: 0 | 1 | 2;
  /** The place of the next one without a time. */
  readonly seq: string | null;
  readonly ready: string | null;
  readonly timed: string | null;
}

function timeOf(value: string | null): number | undefined {
  return value === null ? undefined : Number(value);
}
