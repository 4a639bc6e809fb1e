import { OPTION } from './option-words.js';

/**
 * Metadata travels beside a workload, by an extension of ours that both sides of
 * a connection agree on: `OPTION_REQ metadata`, answered by `OPTION_RES metadata`.
 * From then on a client sends `OPTION_REQ metadata={...}` before a submission,
 * which is not answered, and the job server sends `OPTION_RES metadata={...}`
 * before an assignment. So the workload stays exactly what the client submitted.
 */

/** The prefix of the metadata, which is a JSON object in UTF-8. */
export const METADATA_PREFIX = `${OPTION.metadata}=`;

/**
 * The name in the metadata by which a client that traces says how it submitted a
 * job, because no packet tells a worker: `foreground`, `background`, `delayed`.
 * Our job server says `replayed` there when it replays a dead letter.
 */
export const SUBMITTED_KEY = 'gearman-submitted';

/** The longest metadata of one job, in bytes of JSON. */
export const MAX_METADATA_BYTES = 8 * 1024;
