import { handleKeys, jobKeys, nameKeys, pastKeys, queueKeys, uniqueKeys, type Home, type UniqueName } from './keys.js';
import type { Root, Table } from './lmdb-package.js';
import {
  deadValues,
  endedValues,
  homeValues,
  jobValues,
  numberValues,
  stringValues,
  textValues,
  type DeadRecord,
  type EndedRecord,
  packedValues,
  type JobRecord,
  type Packed,
} from './record-codec.js';
import { checked, type Unreadable } from './record-check.js';
import { rowValues } from './packs/pack.js';
import { markValues, type Marks } from './packs/marks.js';

export const FORMAT_KEY = 'format';
export const SEQUENCE_KEY = 'sequence';
export const UNCHECKED_KEY = 'unchecked';
export const JOURNAL_KEY = 'journal';

/** The tables of the file. */
export interface Tables {
  /** `format`, `sequence`, `journal`, and `unchecked` where there may be records without a checksum. */
  readonly meta: Table<readonly number[], string>;
  /** Who has the folder open, by the name `owner`. */
  readonly owner: Table<string, string>;
  /** A function's name -> its number. */
  readonly functions: Table<readonly number[], string>;
  /** A function's number and a priority -> how many jobs, and how many of them with a time. */
  readonly counts: Table<readonly number[], { readonly functionId: number; readonly priority: number }>;
  /** The queues: function, priority, time, sequence -> the job. */
  readonly jobs: Table<JobRecord | Unreadable, Home>;
  /** The home of the first of several jobs that were written together -> all of them. */
  readonly packs: Table<Buffer, Home>;
  /** A pack's key -> what became of its jobs since it was written. */
  readonly marks: Table<Marks | Unreadable, Home>;
  /** The first handle of a pack -> where it is. */
  readonly packed: Table<Packed, string>;
  /** Time of death, sequence -> a dead letter. */
  readonly dead: Table<DeadRecord | Unreadable, Home>;
  /** Kept until, sequence -> a result. */
  readonly ended: Table<EndedRecord | Unreadable, Home>;
  /** A handle -> where its job, dead letter or result is; not of jobs in packs. */
  readonly handles: Table<Home, string>;
  /** A function and a unique -> the handle of its job. */
  readonly uniques: Table<string, UniqueName>;
  /** Where jobs came from that are taken once. */
  readonly origins: Table<readonly number[], string>;
  /** What is kept beside the jobs, by name. */
  readonly settings: Table<string, string>;
  /** The name of a record that could not be read -> its bytes. */
  readonly quarantine: Table<string, string>;
}

/** Whether a file has, or had, a format whose records have no checksum. */
export function mayHaveUnchecked(meta: Tables['meta']): boolean {
  return meta.get(UNCHECKED_KEY) !== undefined || meta.get(FORMAT_KEY)?.[0] === 1;
}

/** Opens the tables, makes those that are missing. */
export function openTables(root: Root): Tables {
  const meta: Tables['meta'] = root.openDB('meta', { keyEncoder: nameKeys, encoder: numberValues });
  const old = mayHaveUnchecked(meta);
  return {
    meta,
    owner: root.openDB('owner', { keyEncoder: nameKeys, encoder: stringValues, useVersions: true }),
    functions: root.openDB('functions', { keyEncoder: nameKeys, encoder: numberValues }),
    counts: root.openDB('counts', { keyEncoder: queueKeys, encoder: numberValues }),
    jobs: root.openDB('jobs', { keyEncoder: jobKeys, encoder: checked(jobValues, old) }),
    packs: root.openDB('packs', { keyEncoder: jobKeys, encoder: rowValues }),
    marks: root.openDB('marks', { keyEncoder: jobKeys, encoder: checked(markValues, false) }),
    packed: root.openDB('packed', { keyEncoder: handleKeys, encoder: packedValues }),
    dead: root.openDB('dead', { keyEncoder: pastKeys('dead'), encoder: checked(deadValues, old) }),
    ended: root.openDB('ended', { keyEncoder: pastKeys('ended'), encoder: checked(endedValues, old) }),
    handles: root.openDB('handles', { keyEncoder: handleKeys, encoder: homeValues }),
    uniques: root.openDB('uniques', { keyEncoder: uniqueKeys, encoder: stringValues }),
    origins: root.openDB('origins', { keyEncoder: nameKeys, encoder: numberValues }),
    settings: root.openDB('settings', { keyEncoder: nameKeys, encoder: textValues }),
    quarantine: root.openDB('quarantine', { keyEncoder: nameKeys, encoder: stringValues }),
  };
}
