import { countOf, intoRows, PACK_COLUMNS, placesIn } from './pack-statements.js';
import { JOB_COLUMNS } from './pg-values.js';

/**
 * Leases the next jobs of a queue ($2, $3) to an owner ($1), $4 at most: those
 * whose time has come by $5, and the rest from place $6 on, from $7 packs at most.
 * Rows and packs have one order: no row that waits stands between the jobs of a
 * pack that waits. A pack that there is no whole room for is cut: its first jobs
 * become rows.
 *
 * `owner + 0` keeps the planner off the index by owner: see `statementsFor`.
 */
export function leaseStatement(schema: string, tally: string, alive: string): string {
  const queue = 'owner = 0 AND function = $2::int AND priority = $3::smallint';
  const leasing = (which: string): string => `
    UPDATE ${schema}.job j SET owner = $1::int WHERE j.owner + 0 = 0 AND ${alive} AND j.ctid = ANY(ARRAY(${which})) RETURNING ${JOB_COLUMNS}`;
  const packs = (which: string): string =>
    `p.owner + 0 = 0 AND ${alive} AND p.ctid = ANY(ARRAY(SELECT ctid FROM ${which}))`;
  return `
    WITH due AS (${leasing(`SELECT ctid FROM ${schema}.job WHERE ${queue} AND at > 0 AND at <= $5::bigint
        ORDER BY at, seq LIMIT $4::int FOR UPDATE SKIP LOCKED`)}),
      room AS MATERIALIZED (SELECT $4::int - count(*)::int AS room FROM due),
      p AS MATERIALIZED (SELECT ctid, seq, present, ${countOf('present')} AS size FROM ${schema}.pack
        WHERE ${queue} AND seq >= $6::bigint ORDER BY seq LIMIT $7::int FOR UPDATE SKIP LOCKED),
      -- The first pack that fills the room; where so many were looked at and none does, the last one: what is behind it comes next.
      upto AS MATERIALIZED (SELECT coalesce(
        (SELECT min(seq) FROM (SELECT seq, sum(size) OVER (ORDER BY seq) AS sum FROM p) s, room WHERE sum >= room),
        CASE WHEN (SELECT count(*) FROM p) = $7::int THEN (SELECT max(seq) FROM p) END, 9223372036854775807) AS seq),
      r AS MATERIALIZED (SELECT ctid, seq FROM ${schema}.job WHERE ${queue} AND at = 0 AND seq >= $6::bigint
        AND seq < (SELECT seq FROM upto) ORDER BY seq LIMIT (SELECT room FROM room) FOR UPDATE SKIP LOCKED),
      -- All in their order, with what is left of the room behind each.
      n AS MATERIALIZED (SELECT ctid, size, present, is_pack, room - sum(size) OVER (ORDER BY seq) AS spare FROM room, (
        SELECT ctid, seq, 1 AS size, NULL::bigint AS present, false AS is_pack FROM r
        UNION ALL SELECT ctid, seq, size, present, true FROM p) both_kinds),
      ready AS (${leasing('SELECT ctid FROM n WHERE NOT is_pack AND spare >= 0')}),
      whole AS (UPDATE ${schema}.pack p SET owner = $1::int WHERE ${packs('n WHERE is_pack AND spare >= 0')} RETURNING p.*),
      c AS MATERIALIZED (SELECT ctid, bit_or(bit) FILTER (WHERE number <= wanted) AS bits, min(i) FILTER (WHERE number > wanted) AS next
        FROM (SELECT ctid, size + spare AS wanted, i, 1::bigint << i AS bit, row_number() OVER (ORDER BY i) AS number
          FROM n, generate_series(0, 61) i WHERE is_pack AND spare < 0 AND size + spare > 0 AND (present >> i) & 1 = 1) places
        GROUP BY ctid),
      cut AS (UPDATE ${schema}.pack p SET present = p.present & ~(SELECT bits FROM c), seq = p.base + (SELECT next FROM c)
        WHERE ${packs('c')} RETURNING p.*, (SELECT bits FROM c) AS bits),
      split AS (${intoRows(schema, '$1::int', `cut p, ${placesIn('p.bits')}`)} RETURNING ${JOB_COLUMNS}),
      got AS (SELECT * FROM due UNION ALL SELECT * FROM ready UNION ALL SELECT * FROM split),
      t AS (INSERT INTO ${schema}.tally (${tally}) SELECT $2::int, $3::smallint, sum(total), sum(waiting), sum(scheduled) FROM (
          SELECT 0 AS total, -1 AS waiting, -(at > 0)::int AS scheduled FROM due UNION ALL SELECT 0, -1, 0 FROM ready
          UNION ALL SELECT 0, -${countOf('present')}, 0 FROM whole UNION ALL SELECT -${countOf('bits')}, -${countOf('bits')}, 0 FROM cut
          UNION ALL SELECT 1, 0, 0 FROM split) c HAVING count(*) > 0)
    SELECT * FROM (SELECT j.*, ${PACK_COLUMNS.rows} FROM got j UNION ALL SELECT ${PACK_COLUMNS.packs} FROM whole p) leased
      ORDER BY at = 0, at, seq`;
}
