import { leaseStatement } from './lease-statement.js';
import {
  countOf,
  findStatement,
  PACK_OF_HANDLE,
  PACKED_HANDLE,
  packInsert,
  packStatementsFor,
  placesIn,
  PLACE_OF_HANDLE,
} from './pack-statements.js';
import { JOB_COLUMNS, NEW_JOBS } from './pg-values.js';

const TALLY = 'function, priority, total, waiting, scheduled';

/**
 * The statements, for one schema. Each changes the queues' counts with the
 * jobs, in `tally`. `owner + 0` keeps the planner off the index by owner: a plan
 * made on an empty table would read everything of the owner, and is kept; of
 * owner 0 that is everything that ever waited and is not vacuumed yet.
 */
export function statementsFor(schema: string) {
  const alive = `EXISTS (SELECT 1 FROM ${schema}.owner WHERE id = $1::int AND NOT dead)`;
  const columns =
    'handle, seq, at, function, owner, attempts, losses, priority, unique_key, unique_long, reducer, workload, accepted';
  const tallied = (of: string, total: string, waiting: string, scheduled: string): string =>
    `t AS (INSERT INTO ${schema}.tally (${TALLY}) SELECT function, priority, ${total}, ${waiting}, ${scheduled} FROM ${of} GROUP BY 1, 2)`;
  const NEW = [
    'count(*)',
    'count(*) FILTER (WHERE owner = 0)',
    'count(*) FILTER (WHERE owner = 0 AND at > 0)',
  ] as const;
  const newJobs = tallied('made', ...NEW);
  const batch = `b AS MATERIALIZED (SELECT nextval('${schema}.batch') * 4096 AS base)`;
  const madeRows = `made AS (INSERT INTO ${schema}.job (seq, owner, ${NEW_JOBS.columns})
      SELECT b.base + d.place, d.owner, ${NEW_JOBS.columns}
      FROM b, unnest(${NEW_JOBS.values}, $12::int[], $13::int[]) AS d (${NEW_JOBS.columns}, place, owner)
      ON CONFLICT DO NOTHING RETURNING handle, function, priority, owner, at)`;
  const madePacks = `packed AS (${packInsert(schema)} RETURNING maker, number, function, priority, owner, ${countOf('present')} AS size),
    p AS (INSERT INTO ${schema}.tally (${TALLY}) SELECT function, priority, sum(size), sum(CASE WHEN owner = 0 THEN size ELSE 0 END), 0
      FROM packed GROUP BY 1, 2)`;
  return {
    add: `WITH ${batch}, ${madeRows}, ${tallied('made', ...NEW)}
      SELECT count(*)::int AS count, CASE WHEN count(*) < $14::int THEN coalesce(array_agg(handle), '{}') END AS handles FROM made`,
    /** The same, and packs: in one commit, and in one order. */
    addPacked: `WITH ${batch}, ${madeRows}, ${madePacks}, ${tallied('made', ...NEW)}
      SELECT count(*)::int AS count, CASE WHEN count(*) < $14::int THEN coalesce(array_agg(handle), '{}') END AS handles,
        (SELECT coalesce(array_agg(maker || ':' || number), '{}') FROM packed) AS packs FROM made`,
    byHandles: `SELECT ${JOB_COLUMNS}, j.owner, j.wanted FROM ${schema}.job j WHERE j.handle = ANY($1::bytea[])`,
    byUniques: `SELECT ${JOB_COLUMNS}, j.owner, j.wanted FROM unnest($1::int[], $2::bytea[]) k (function, unique_key)
      JOIN ${schema}.job j ON j.function = k.function AND j.unique_key = k.unique_key`,
    /** Others were told these jobs too: they are not taken out any more. Answers those that are there. */
    want: `UPDATE ${schema}.job SET wanted = true WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${schema}.job WHERE handle = ANY($1::bytea[]) ORDER BY handle FOR UPDATE)) RETURNING handle`,
    /** Changes nothing, and is waited for as a write is. */
    confirm: `UPDATE ${schema}.job SET wanted = wanted WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${schema}.job WHERE handle = ANY($1::bytea[]) ORDER BY handle FOR UPDATE))`,
    /** Counts nothing: whether anything can be written. No row that others write is locked while it waits for the standby. */
    probe: `INSERT INTO ${schema}.tally (${TALLY}) SELECT id, 1, 0, 0, 0 FROM ${schema}.function LIMIT 1`,
    /**
     * Deletes jobs that were refused and may have been written all the same; not those that others
     * were answered with, or have leased.
     */
    void: `WITH gone AS (DELETE FROM ${schema}.job j
          WHERE j.handle = ANY($1::bytea[]) AND NOT j.wanted AND j.owner + 0 = ANY($2::int[]) RETURNING function, priority, owner, at),
        ${tallied('gone', '-count(*)', '-count(*) FILTER (WHERE owner = 0)', '-count(*) FILTER (WHERE owner = 0 AND at > 0)')}
      SELECT 1`,
    /** Those whose time has come are asked for each time: another owner may have added some that this one has not heard of. */
    lease: leaseStatement(schema, TALLY, alive),
    leaseOne: `
      WITH got AS (UPDATE ${schema}.job j SET owner = $1::int WHERE j.handle = $2::bytea AND j.owner + 0 = 0 AND ${alive} RETURNING ${JOB_COLUMNS}),
        ${tallied('got', '0', '-count(*)', '-count(*) FILTER (WHERE at > 0)')}
      SELECT * FROM got`,
    done: `
      WITH gone AS (DELETE FROM ${schema}.job j USING unnest($1::bytea[], $2::int[]) k (handle, owner)
          WHERE j.handle = k.handle AND j.owner + 0 = k.owner RETURNING j.function, j.priority),
        ${tallied('gone', '-count(*)', '0', '0')}
      SELECT 1`,
    doneWithResult: `
      WITH gone AS (DELETE FROM ${schema}.job j
          USING unnest($1::bytea[], $2::int[], $3::bytea[], $4::bytea[], $5::bigint[]) k (handle, owner, state, result, keep_until)
          WHERE j.handle = k.handle AND j.owner + 0 = k.owner
          RETURNING j.handle, j.function, j.priority, k.state, k.result, k.keep_until),
        r AS (INSERT INTO ${schema}.result SELECT handle, function, convert_from(state, 'UTF8'), result, keep_until FROM gone
          ON CONFLICT DO NOTHING),
        ${tallied('gone', '-count(*)', '0', '0')}
      SELECT 1`,
    bury: `
      WITH gone AS (DELETE FROM ${schema}.job j
          USING unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::bytea[], $6::bigint[])
            k (handle, owner, attempts, losses, error, died_at)
          WHERE j.handle = k.handle AND j.owner + 0 = k.owner
          RETURNING j.handle, j.seq, j.at, j.function, k.attempts, k.losses, j.priority, j.unique_key, j.unique_long,
            j.reducer, j.workload, k.error, k.died_at, j.accepted),
        d AS (INSERT INTO ${schema}.dead SELECT * FROM gone ON CONFLICT DO NOTHING),
        ${tallied('gone', '-count(*)', '0', '0')}
      SELECT 1`,
    release: `
      WITH back AS (UPDATE ${schema}.job j SET owner = 0, at = k.at, attempts = k.attempts, losses = k.losses
          FROM unnest($1::bytea[], $2::int[], $3::bigint[], $4::int[], $5::int[]) k (handle, owner, at, attempts, losses)
          WHERE j.handle = k.handle AND j.owner + 0 = k.owner RETURNING j.function, j.priority, j.at),
        ${tallied('back', '0', 'count(*)', 'count(*) FILTER (WHERE at > 0)')}
      SELECT 1`,
    change: `
      UPDATE ${schema}.job j SET attempts = k.attempts, losses = k.losses
        FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[]) k (handle, owner, attempts, losses)
        WHERE j.handle = k.handle AND j.owner + 0 = k.owner`,
    leasedBy: `SELECT handle, NULL::int AS maker, NULL::bigint AS number, NULL::int AS index FROM ${schema}.job WHERE owner = $1::int
      UNION ALL SELECT handle, maker, number, i FROM ${schema}.pack p
        CROSS JOIN LATERAL (SELECT i, ${PACKED_HANDLE} AS handle FROM ${placesIn('p.present')}) i WHERE p.owner = $1::int`,
    /** Gives back some of what a session has leased. */
    giveBackSome: `
      WITH back AS (UPDATE ${schema}.job SET owner = 0 WHERE handle = ANY($2::bytea[]) AND owner + 0 = $1::int
          RETURNING function, priority, at),
        ${tallied('back', '0', 'count(*)', 'count(*) FILTER (WHERE at > 0)')}
      SELECT DISTINCT function, priority FROM back`,
    /** Gives back all that sessions have leased. */
    giveBack: `
      WITH back AS (UPDATE ${schema}.job SET owner = 0 WHERE owner = ANY($1::int[]) RETURNING function, priority, at),
        ${tallied('back', '0', 'count(*)', 'count(*) FILTER (WHERE at > 0)')}
      SELECT DISTINCT function, priority FROM back`,
    /** Gives back what is leased to sessions that nobody knows. */
    giveBackOrphans: `
      WITH back AS (UPDATE ${schema}.job SET owner = 0 WHERE owner IN (SELECT DISTINCT owner FROM ${schema}.job j
            WHERE owner > 0 AND NOT EXISTS (SELECT 1 FROM ${schema}.owner o WHERE o.id = j.owner))
          RETURNING function, priority, at),
        ${tallied('back', '0', 'count(*)', 'count(*) FILTER (WHERE at > 0)')}
      SELECT DISTINCT function, priority FROM back`,
    remove: `
      WITH gone AS (DELETE FROM ${schema}.job j WHERE j.handle = $1 AND j.owner + 0 IN (0, $2::int)
          RETURNING j.function, j.priority, j.owner, j.at),
        ${tallied('gone', '-count(*)', '-count(*) FILTER (WHERE owner = 0)', '-count(*) FILTER (WHERE owner = 0 AND at > 0)')}
      SELECT function, priority, owner, at FROM gone`,
    replay: `
      WITH ${batch},
        made AS (INSERT INTO ${schema}.job (${columns})
          SELECT d.handle, b.base, 0, d.function, 0, 0, 0, d.priority, d.unique_key, d.unique_long,
            coalesce($2::bytea, d.reducer), d.workload, $3::bigint
          FROM b, ${schema}.dead d WHERE d.handle = $1
          ON CONFLICT DO NOTHING RETURNING handle, function, priority, owner, at),
        d AS (DELETE FROM ${schema}.dead d USING made WHERE d.handle = made.handle),
        ${newJobs}
      SELECT function, priority FROM made`,
    addOnce: `
      WITH ${batch},
        o AS (INSERT INTO ${schema}.origin VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1),
        packed AS MATERIALIZED (SELECT 1 FROM (VALUES ($18::bytea, $19::bigint)) k (prefix, number) JOIN ${schema}.pack p ON ${PACK_OF_HANDLE}
          CROSS JOIN LATERAL (SELECT 1 FROM ${placesIn('p.present')} AND ${PLACE_OF_HANDLE}) i),
        made AS (INSERT INTO ${schema}.job (${columns})
          SELECT $2::bytea, b.base, $3::bigint, $4::int, 0, $5::int, $6::int, $7::smallint, $8::bytea, $9::bytea, $10::bytea, $11::bytea,
            $17::bigint
          FROM b WHERE EXISTS (SELECT 1 FROM o) AND NOT EXISTS (SELECT 1 FROM packed) AND $12::bytea IS NULL AND $14::text IS NULL
            AND NOT EXISTS (SELECT 1 FROM ${schema}.dead WHERE handle = $2::bytea)
            AND NOT EXISTS (SELECT 1 FROM ${schema}.result WHERE handle = $2::bytea)
          ON CONFLICT DO NOTHING RETURNING handle, function, priority, owner, at),
        buried AS (INSERT INTO ${schema}.dead
          SELECT $2::bytea, b.base, $3::bigint, $4::int, $5::int, $6::int, $7::smallint, $8::bytea, $9::bytea, $10::bytea, $11::bytea,
            $12::bytea, $13::bigint, $17::bigint
          FROM b WHERE EXISTS (SELECT 1 FROM o) AND NOT EXISTS (SELECT 1 FROM packed) AND $12::bytea IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ${schema}.job WHERE handle = $2::bytea)
            AND NOT EXISTS (SELECT 1 FROM ${schema}.result WHERE handle = $2::bytea)
          ON CONFLICT DO NOTHING RETURNING 1),
        kept AS (INSERT INTO ${schema}.result SELECT $2::bytea, $4::int, $14::text, $15::bytea, $16::bigint
          FROM o WHERE $14::text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM packed)
            AND NOT EXISTS (SELECT 1 FROM ${schema}.job WHERE handle = $2::bytea)
            AND NOT EXISTS (SELECT 1 FROM ${schema}.dead WHERE handle = $2::bytea)
          ON CONFLICT DO NOTHING RETURNING 1),
        ${newJobs}
      SELECT (SELECT count(*) FROM o)::int AS fresh,
        ((SELECT count(*) FROM made) + (SELECT count(*) FROM buried) + (SELECT count(*) FROM kept))::int AS made,
        (SELECT count(*) FROM (SELECT 1 FROM ${schema}.job WHERE handle = $2::bytea
          UNION ALL SELECT 1 FROM ${schema}.dead WHERE handle = $2::bytea
          UNION ALL SELECT 1 FROM ${schema}.result WHERE handle = $2::bytea UNION ALL SELECT 1 FROM packed) known)::int AS known`,
    /** Ticks with their jobs, each of another schedule: of several that come with the same one, the first has a row to write. */
    fire: `
      WITH ${batch},
        d AS MATERIALIZED (SELECT * FROM unnest(${NEW_JOBS.values}, $12::bytea[], $13::bytea[])
          WITH ORDINALITY AS d (${NEW_JOBS.columns}, name, value, place)),
        o AS (INSERT INTO ${schema}.setting AS s SELECT name, value FROM d ORDER BY name
          ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE ${tickIn('s.value')} < ${tickIn('excluded.value')}
          RETURNING name),
        made AS (INSERT INTO ${schema}.job (seq, owner, ${NEW_JOBS.columns})
          SELECT b.base + d.place, 0, ${NEW_JOBS.columns} FROM b, d WHERE name IN (SELECT name FROM o) ORDER BY d.place
          ON CONFLICT DO NOTHING RETURNING handle, function, priority, owner, at),
        ${newJobs}
      SELECT coalesce((SELECT array_agg(name) FROM o), '{}') AS fresh, coalesce((SELECT array_agg(handle) FROM made), '{}') AS made`,
    /** Ticks without jobs: the handle of the last job, behind the tick that was last, stays. */
    passTicks: `
      INSERT INTO ${schema}.setting AS s SELECT * FROM unnest($1::bytea[], $2::bytea[])
        ON CONFLICT (name) DO UPDATE
          SET value = excluded.value || convert_to(coalesce(substring(convert_from(s.value, 'UTF8') from ' .*'), ''), 'UTF8')
          WHERE ${tickIn('s.value')} < ${tickIn('excluded.value')}
        RETURNING name, value`,
    settingsNamed: `SELECT name, value FROM ${schema}.setting WHERE name = ANY($1::bytea[])`,
    find: findStatement(schema),
    findUnique: `
      SELECT ${JOB_COLUMNS}, j.owner, o.name AS holder, o.address FROM ${schema}.function f
        JOIN ${schema}.job j ON j.function = f.id AND j.unique_key = $1::bytea
        LEFT JOIN ${schema}.owner o ON o.id = j.owner
        WHERE $2::int IS NULL OR f.id = $2::int LIMIT 1`,
    findDead: `SELECT ${JOB_COLUMNS}, j.error, j.died_at FROM ${schema}.dead j WHERE j.handle = ANY($1::bytea[])`,
    findResult: `SELECT handle, function, state, result, keep_until FROM ${schema}.result WHERE handle = ANY($1::bytea[])`,
    jobPage: `SELECT ${JOB_COLUMNS} FROM ${schema}.job j
      WHERE j.handle > $1 AND ($2::int IS NULL OR j.function = $2::int) AND j.seq < $4::bigint ORDER BY j.handle LIMIT $3`,
    /** Above every sequence given out so far. */
    lastSequence: `SELECT (last_value + 1) * 4096 AS above FROM ${schema}.batch`,
    deadPage: `SELECT ${JOB_COLUMNS}, j.error, j.died_at FROM ${schema}.dead j
      WHERE (j.died_at, j.seq) > ($1::bigint, $2::bigint) AND ($3::int IS NULL OR j.function = $3::int)
      ORDER BY j.died_at, j.seq LIMIT $4`,
    tellCancelled: `INSERT INTO ${schema}.cancel VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    cancelled: `DELETE FROM ${schema}.cancel WHERE owner = $1 RETURNING handle`,
    purge: `DELETE FROM ${schema}.dead WHERE handle = $1`,
    forget: `DELETE FROM ${schema}.result WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${schema}.result WHERE keep_until <= $1 ORDER BY keep_until LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    forgetOrigins: `DELETE FROM ${schema}.origin`,
    /** One row at least, without a function where no queue has any. */
    counts: `SELECT t.*, (SELECT pg_stat_get_dead_tuples('${schema}.job'::regclass) + pg_stat_get_dead_tuples('${schema}.pack'::regclass)) AS dead,
        EXISTS (SELECT 1 FROM ${schema}.cancel WHERE owner = $1::int) AS cancelled
      FROM (VALUES (1)) one LEFT JOIN (
        SELECT function, priority, sum(total)::bigint AS total, sum(waiting)::bigint AS waiting,
          sum(scheduled)::bigint AS scheduled, count(*)::int AS rows FROM ${schema}.tally GROUP BY 1, 2) t ON true`,
    compact: `
      WITH gone AS (DELETE FROM ${schema}.tally RETURNING ${TALLY})
      INSERT INTO ${schema}.tally (${TALLY}) SELECT function, priority, sum(total), sum(waiting), sum(scheduled) FROM gone GROUP BY 1, 2
        HAVING sum(total) <> 0 OR sum(waiting) <> 0 OR sum(scheduled) <> 0`,
    times: `SELECT q.function, q.priority, t.at FROM unnest($1::int[], $2::int[]) q (function, priority)
      CROSS JOIN LATERAL (SELECT at FROM ${schema}.job j WHERE j.owner = 0 AND j.function = q.function
        AND j.priority = q.priority AND j.at > 0 ORDER BY at, seq LIMIT 64) t`,
    settings: `SELECT name, value FROM ${schema}.setting`,
    set: `INSERT INTO ${schema}.setting SELECT * FROM unnest($1::bytea[], $2::bytea[]) s (name, value)
      WHERE s.value IS NOT NULL ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    unset: `DELETE FROM ${schema}.setting WHERE name = ANY($1::bytea[])`,
    join: `INSERT INTO ${schema}.owner (id, name, address, packs) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, true)
      ON CONFLICT DO NOTHING RETURNING id`,
    oust: `UPDATE ${schema}.owner SET dead = true, died = now() WHERE name = $1 AND NOT dead RETURNING id`,
    /** Answers with everybody, and whether this owner is alive still. */
    beat: `WITH me AS (UPDATE ${schema}.owner SET beat = beat + 1 WHERE id = $1::int AND NOT dead RETURNING id)
      SELECT id, beat, dead, packs, (SELECT count(*) FROM me)::int AS alive,
        (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS date FROM ${schema}.owner`,
    owners: `SELECT dead, packs FROM ${schema}.owner`,
    takeForDead: `UPDATE ${schema}.owner SET dead = true, died = now() WHERE id = $1 AND beat = $2 AND NOT dead RETURNING id`,
    /** The owner's row stays for a while, as a lease that it gave up may still be made. */
    leave: `WITH c AS (DELETE FROM ${schema}.cancel WHERE owner = $1)
      UPDATE ${schema}.owner SET dead = true, died = now() WHERE id = $1`,
    sweep: `
      WITH gone AS (DELETE FROM ${schema}.owner WHERE dead AND died < now() - interval '1 hour' RETURNING id)
      DELETE FROM ${schema}.cancel c USING gone WHERE c.owner = gone.id`,
    ...packStatementsFor(schema, TALLY),
  };
}

/** The tick in the setting that keeps a schedule's last one: see `laterTick`. */
function tickIn(value: string): string {
  return `split_part(convert_from(${value}, 'UTF8'), ' ', 1)::bigint`;
}

export type Statements = ReturnType<typeof statementsFor>;
