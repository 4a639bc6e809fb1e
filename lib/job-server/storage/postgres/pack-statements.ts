import { JOB_COLUMNS } from './pg-values.js';
import { PACK_SPAN } from './pack-name.js';

/** How many bits are set: `bit_count` came with PostgreSQL 14. */
export function countOf(bits: string): string {
  return `length(replace((${bits})::bit(64)::text, '0', ''))`;
}

/** Each job of a pack `p` of which a bit is set, by its place `i`. */
export function placesIn(bits: string): string {
  return `generate_series(0, cardinality(p.numbers) - 1) i WHERE (${bits} >> i) & 1 = 1`;
}

/** The handle of the job at place `i` of a pack `p`. */
export const PACKED_HANDLE = "p.prefix || convert_to((p.first + p.numbers[i + 1])::text, 'UTF8')";

/** The workload of that job. */
export const PACKED_WORKLOAD =
  'substring(p.workloads FROM coalesce(p.ends[i], 0) + 1 FOR p.ends[i + 1] - coalesce(p.ends[i], 0))';

/** The job at place `i` of a pack `p`, as the columns of a job's row: see `JOB_COLUMNS`. */
export const PACKED_COLUMNS = `${PACKED_HANDLE} AS handle, p.function, p.priority, p.base + i AS seq, 0::bigint AS at, 0 AS attempts, 0 AS losses,
  NULL::bytea AS unique_key, NULL::bytea AS unique_long, ''::bytea AS reducer, ${PACKED_WORKLOAD} AS workload, p.accepted + p.delays[i + 1] AS accepted`;

/**
 * The columns of a pack `p` that is read whole, in one result with rows: what a pack has only once
 * stands in the places of `JOB_COLUMNS`.
 */
export const PACK_COLUMNS = {
  packs: `p.prefix AS handle, p.function, p.priority, p.seq, 0::bigint AS at, 0 AS attempts, 0 AS losses, NULL::bytea AS unique_key,
    NULL::bytea AS unique_long, ''::bytea AS reducer, p.workloads AS workload, p.accepted, p.maker, p.number, p.base, p.present, p.first,
    array_to_string(p.numbers, ',') AS numbers, array_to_string(p.delays, ',') AS delays, array_to_string(p.ends, ',') AS ends`,
  rows: `NULL::int AS maker, NULL::bigint AS number, NULL::bigint AS base, NULL::bigint AS present, NULL::bigint AS first, NULL::text AS numbers,
    NULL::text AS delays, NULL::text AS ends`,
} as const;

/** Which pack `p` has the job whose handle is split in `k (prefix, number)`. */
export const PACK_OF_HANDLE = `p.prefix = k.prefix AND p.last >= k.number AND p.last < k.number + ${PACK_SPAN} AND p.first <= k.number`;

/** At which place `i` that job is, if it is there still. */
export const PLACE_OF_HANDLE = 'p.first + p.numbers[i + 1] = k.number';

/** Writes packs, in places of the batch `b`; those that are there already stay as they are. What their jobs have is in $29 to $31, one pack's after the other's. */
export function packInsert(schema: string): string {
  const part = (array: string): string => `(${array}::int[])[d.start:d.start + d.size - 1]`;
  return `INSERT INTO ${schema}.pack (maker, number, seq, base, function, priority, owner, present, prefix, first, last, accepted,
      workloads, numbers, delays, ends)
    SELECT d.maker, d.number, b.base + d.place, b.base + d.place, d.function, d.priority, d.owner, d.present, d.prefix, d.first, d.last,
      d.accepted, d.workloads, ${part('$29')}, ${part('$30')}, ${part('$31')}
    FROM b, unnest($15::int[], $16::bigint[], $17::int[], $18::int[], $19::int[], $20::int[], $21::bigint[], $22::bytea[], $23::bigint[],
      $24::bigint[], $25::bigint[], $26::bytea[], $27::int[], $28::int[]) d (maker, number, place, function, priority, owner, present,
      prefix, first, last, accepted, workloads, start, size)
    ON CONFLICT DO NOTHING`;
}

/** Makes rows of jobs `p`, `i`, for an owner. What is there as a row already stays as it is. */
export function intoRows(schema: string, owner: string, from: string): string {
  return `INSERT INTO ${schema}.job AS j
    (handle, function, priority, seq, at, attempts, losses, unique_key, unique_long, reducer, workload, accepted, owner)
    SELECT ${PACKED_COLUMNS}, ${owner} FROM ${from} ON CONFLICT DO NOTHING`;
}

/**
 * Counts the rows `moved` out of the packs `gone`: there are as many jobs as before, except those
 * that had a row already.
 */
function movedTally(schema: string, tally: string, was: 'waiting' | 'leased', is: 'waiting' | 'leased'): string {
  const [before, after] = [was, is].map((state) => Number(state === 'waiting'));
  return `t AS (INSERT INTO ${schema}.tally (${tally}) SELECT function, priority, sum(total), sum(waiting), 0 FROM (
      SELECT function, priority, 1 AS total, ${after} AS waiting FROM moved
      UNION ALL SELECT function, priority, -${countOf('bits')}, -${countOf('bits')} * ${before} FROM gone) c
    GROUP BY 1, 2 HAVING sum(total) <> 0 OR sum(waiting) <> 0)`;
}

/** The statements about packs, for one schema. */
export function packStatementsFor(schema: string, tally: string) {
  /**
   * Takes jobs out of packs, each known by `k (maker, number, owner, bits)`: a
   * pack goes with the last of them. The packs are locked first, so that
   * everything is decided by what is in them then.
   */
  const takenOut = (which: string): string => `
    locked AS MATERIALIZED (SELECT p.maker, p.number, p.owner, p.present & ~k.bits AS rest, p.present & k.bits AS bits
      FROM k JOIN ${schema}.pack p ON p.maker = k.maker AND p.number = k.number
      WHERE ${which} AND p.present & k.bits <> 0 FOR UPDATE OF p),
    part AS (UPDATE ${schema}.pack p SET present = h.rest FROM locked h
      WHERE p.maker = h.maker AND p.number = h.number AND h.rest <> 0 RETURNING p.*, h.bits),
    whole AS (DELETE FROM ${schema}.pack p USING locked h
      WHERE p.maker = h.maker AND p.number = h.number AND h.rest = 0 RETURNING p.*, h.bits),
    gone AS (SELECT * FROM part UNION ALL SELECT * FROM whole)`;
  const named = 'unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) k (maker, number, owner, bits)';
  const k = `k AS MATERIALIZED (SELECT * FROM ${named})`;
  const mine = 'p.owner + 0 = k.owner';
  const tallied = (of: string, total: string, waiting: string): string => `t AS (INSERT INTO ${schema}.tally (${tally})
    SELECT function, priority, ${total}, ${waiting}, 0 FROM ${of} GROUP BY 1, 2)`;
  const giveBack = (which: string): string => `
      WITH gone AS (DELETE FROM ${schema}.pack p WHERE ${which} RETURNING p.*, p.present AS bits),
        moved AS (${intoRows(schema, '0', `gone p, ${placesIn('p.bits')}`)} RETURNING j.function, j.priority),
        ${moved('leased', 'waiting')}
      SELECT DISTINCT function, priority FROM moved`;
  const moved = (was: 'waiting' | 'leased', is: 'waiting' | 'leased'): string => movedTally(schema, tally, was, is);
  return {
    donePacked: `
      WITH ${k}, ${takenOut(mine)}, ${tallied('gone', `-sum(${countOf('bits')})`, '0')}
      SELECT 1`,
    donePackedWithResult: `
      WITH ${k}, ${takenOut(mine)}, ${tallied('gone', `-sum(${countOf('bits')})`, '0')},
        r AS (INSERT INTO ${schema}.result SELECT o.handle, g.function, convert_from(o.state, 'UTF8'), o.result, o.keep_until
          FROM unnest($5::bytea[], $6::int[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[], $11::bigint[])
            o (handle, maker, number, bits, state, result, keep_until)
          JOIN gone g ON g.maker = o.maker AND g.number = o.number WHERE g.bits & o.bits <> 0 ON CONFLICT DO NOTHING)
      SELECT 1`,
    /** Makes rows of jobs, still leased to whom they were. */
    makeRowsOfPacked: `
      WITH ${k}, ${takenOut(mine)},
        moved AS (${intoRows(schema, 'p.owner', `gone p, ${placesIn('p.bits')}`)} RETURNING j.function, j.priority),
        ${moved('leased', 'leased')}
      SELECT 1`,
    /** Takes out jobs that were refused and may have been written all the same; not those that others have leased. */
    voidPacked: `
      WITH ${k}, ${takenOut('p.owner + 0 = ANY($5::int[])')},
        ${tallied('gone', `-sum(${countOf('bits')})`, `-sum(CASE WHEN owner = 0 THEN ${countOf('bits')} ELSE 0 END)`)}
      SELECT 1`,
    /** Makes rows of all that waits in the packs that have one of these jobs. */
    unpack: `
      WITH k AS MATERIALIZED (SELECT * FROM unnest($1::bytea[], $2::bigint[]) k (prefix, number)),
        packs AS MATERIALIZED (SELECT p.maker, p.number FROM k JOIN ${schema}.pack p ON ${PACK_OF_HANDLE}
          WHERE p.owner + 0 = 0 AND EXISTS (SELECT 1 FROM ${placesIn('p.present')} AND ${PLACE_OF_HANDLE}) FOR UPDATE OF p),
        gone AS (DELETE FROM ${schema}.pack p USING (SELECT DISTINCT maker, number FROM packs) d
          WHERE p.maker = d.maker AND p.number = d.number RETURNING p.*, p.present AS bits),
        moved AS (${intoRows(schema, '0', `gone p, ${placesIn('p.bits')}`)} RETURNING j.function, j.priority),
        ${moved('waiting', 'waiting')}
      SELECT count(*)::int AS count FROM moved`,
    /** Gives back all the packs that sessions have leased: as rows, some of them may be in the middle of others. */
    giveBackPacks: giveBack('p.owner = ANY($1::int[])'),
    /** Gives back those that are leased to sessions that nobody knows. */
    giveBackOrphanPacks: giveBack(`p.owner IN (SELECT DISTINCT owner FROM ${schema}.pack q
      WHERE owner > 0 AND NOT EXISTS (SELECT 1 FROM ${schema}.owner o WHERE o.id = q.owner))`),
    /** Finds a pack that waits in a queue; where somebody has it locked, once that is over. */
    waitForPack: `SELECT 1 FROM ${schema}.pack
      WHERE owner = 0 AND function = $1::int AND priority = $2::smallint AND seq >= $3::bigint ORDER BY seq LIMIT 1 FOR UPDATE`,
    packedByHandles: `SELECT ${PACKED_COLUMNS}, p.owner FROM unnest($1::bytea[], $2::bigint[]) k (prefix, number)
      JOIN ${schema}.pack p ON ${PACK_OF_HANDLE} CROSS JOIN LATERAL (SELECT i FROM ${placesIn('p.present')} AND ${PLACE_OF_HANDLE}) i`,
    packPage: `SELECT ${PACK_COLUMNS.packs} FROM ${schema}.pack p
      WHERE (p.maker, p.number) > ($1::int, $2::bigint) AND ($3::int IS NULL OR p.function = $3::int) AND p.base < $4::bigint
      ORDER BY p.maker, p.number LIMIT $5`,
  };
}

/** Jobs that wait or are leased, by their handles: as rows, or in packs. */
export function findStatement(schema: string): string {
  const holder = `LEFT JOIN ${schema}.owner o ON o.id =`;
  return `
    SELECT ${JOB_COLUMNS}, j.owner, o.name AS holder, o.address FROM ${schema}.job j ${holder} j.owner WHERE j.handle = ANY($1::bytea[])
    UNION ALL
    SELECT ${PACKED_COLUMNS}, p.owner, o.name AS holder, o.address
      FROM unnest($2::bytea[], $3::bigint[]) k (prefix, number) JOIN ${schema}.pack p ON ${PACK_OF_HANDLE} ${holder} p.owner
      CROSS JOIN LATERAL (SELECT i FROM ${placesIn('p.present')} AND ${PLACE_OF_HANDLE}) i`;
}
