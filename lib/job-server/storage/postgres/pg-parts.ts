import type { StorageListener } from '../job-storage.js';
import type { ReadyQueues } from '../ready-queues.js';
import type { StorageWrites } from '../storage-health.js';
import type { PgAges } from './pg-ages.js';
import type { PgConnection } from './pg-connection.js';
import type { PgDead } from './pg-dead.js';
import type { PgEntry } from './pg-entry.js';
import type { PgFunctions } from './pg-functions.js';
import type { PgHealth } from './pg-health.js';
import type { PgHints, QueueHint } from './pg-hints.js';
import type { CheckedPgOptions } from './pg-options.js';
import type { PgQuery, PgResult } from './pg-package.js';
import type { Statements } from './pg-statements.js';

/** What the parts of an open storage have in common. */
export interface PgParts {
  readonly options: CheckedPgOptions;
  /** So many jobs of a queue that come together become a pack. */
  readonly packFrom: number;
  readonly statements: Statements;
  readonly listener: StorageListener;
  readonly functions: PgFunctions;
  readonly hints: PgHints;
  readonly health: PgHealth;
  readonly writes: StorageWrites;
  readonly dead: PgDead;
  readonly ages: PgAges;
  /** Jobs that are not written yet, or leased, by handle. */
  readonly owned: Map<string, PgEntry>;
  /** Tells the owner, and the others, of queues with jobs to lease. */
  readonly ready: ReadyQueues<QueueHint>;
  /** This owner's session, whose number every write is fenced by. */
  readonly session: {
    id: number;
    /** All that this owner had, and 0, which is nobody's. */
    readonly all: number[];
    /** Whether all that share the jobs know packs. */
    mayPack: boolean;
  };
  /** Writes jobs, durably; writes ends, leases; hears and looks. */
  readonly connections: Readonly<Record<'adder' | 'ender' | 'leaser' | 'hearer', PgConnection>>;
}

/** Runs one of the statements by its name, prepared. */
export function run(
  { connections, statements }: PgParts,
  connection: keyof PgParts['connections'],
  name: keyof Statements,
  values: readonly unknown[] = [],
): Promise<PgResult> {
  const query: PgQuery = { name, text: statements[name], values };
  return connections[connection].query(query);
}
