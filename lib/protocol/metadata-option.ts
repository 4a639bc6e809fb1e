import { OPTION } from './option-words.js';

/**
 * What travels beside a workload, by an extension of ours that both sides of a
 * connection agree on: `OPTION_REQ metadata`, answered by `OPTION_RES metadata`.
 * From then on `OPTION_REQ metadata={...}` goes ahead of a submission, without
 * an answer, and `OPTION_RES metadata={...}` ahead of an assignment. So the
 * workload stays the submitter's own bytes on every connection.
 */

/** What stands before the metadata, a JSON object in UTF-8. */
export const METADATA_PREFIX = `${OPTION.metadata}=`;

/**
 * The name in metadata by which a client that traces says how it submitted a
 * job, which no packet tells a worker: `foreground`, `background`, `delayed`.
 * A job server of ours that lets a dead letter wait again says `replayed` there.
 */
export const SUBMITTED_KEY = 'gearman-submitted';

/** The longest metadata of one job, in bytes of JSON. */
export const MAX_METADATA_BYTES = 8 * 1024;
