/**
 * What a connection sets for itself, whatever the database, the role or the
 * server has as defaults: statements are to mean the same everywhere.
 *
 * - `client_min_messages`: that the wait for a standby was given up is told by a warning alone.
 * - `default_transaction_isolation`: those above `read committed` refuse one of two job servers that come to one row.
 * - `search_path`: nobody's functions or operators come before PostgreSQL's own.
 * - `row_security`: rows that a policy hides are an error, and not jobs that are silently left out.
 */
const ALWAYS: Readonly<Record<string, string>> = {
  client_min_messages: 'warning',
  default_transaction_isolation: 'read committed',
  search_path: 'pg_catalog',
  row_security: 'off',
  bytea_output: 'hex',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // From PostgreSQL 14, and from 17 on.
  idle_session_timeout: '0',
  transaction_timeout: '0',
};

/**
 * Plans are made once, perhaps on empty tables, and kept: only those by indexes
 * and nested loops serve any number of jobs. Where a small table is read whole
 * all the same, its plan counts as very expensive, and PostgreSQL would compile
 * it at each run (`jit`): some hundred milliseconds for a statement that takes
 * one.
 */
const PLANS: Readonly<Record<string, string>> = {
  enable_indexscan: 'on',
  enable_nestloop: 'on',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
};

/**
 * After this part of a statement's time the database ends it, and says so: then
 * the statement has not happened. Of one that only this side gave up nobody
 * would know that; and in the database it would wait for a lock as long as
 * somebody has it. A wait for the standby is not ended by this.
 */
const TRIED_PART = 0.9;

/** What is set for a connection. */
export interface ConnectionSettings {
  /** It only reads, each statement once: plans need not serve for long. */
  readonly isReading: boolean;
  /** How long a statement may take before its connection is given up, in milliseconds. */
  readonly timeout: number;
  /** `synchronous_commit`; undefined: as it is. */
  readonly commit: 'on' | 'off' | undefined;
}

/** The statement that sets it; what the database does not know is left out. */
export function settingStatement({ isReading, timeout, commit }: ConnectionSettings): string {
  const settings: Readonly<Record<string, string>> = {
    ...ALWAYS,
    ...(!isReading && PLANS),
    ...(commit && { synchronous_commit: commit }),
    statement_timeout: String(Math.ceil(timeout * TRIED_PART)),
  };
  const rows = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `SELECT pg_catalog.set_config(v.name, v.value, false) FROM (VALUES ${rows.join(', ')}) v (name, value)
    WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL`;
}
