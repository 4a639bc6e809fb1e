// Not from the room's index, all of which is exported to users.
import { JOB_CLIENT_OPTIONS, type JobClientOptions } from '../driver/job-client.js';
import type { WorkloadFormat } from './formats.js';
import type { GearmanDeserializer, GearmanSerializer, RequestPacket, ResponsePacket } from './gearman.serializer.js';
import { TRACING_RULE, type TracingOptions } from './tracing/tracing-options.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/** Options of a `GearmanClient`; all of them are optional. */
export interface GearmanClientOptions extends JobClientOptions {
  /** The prefix of every function's name on the job server: a tenant, an environment (`staging.`). Default: none. */
  prefix?: string;
  /** The format of workloads and results, unless the record or the contract says it. Default `json`. */
  format?: WorkloadFormat;
  /**
   * How long a caller waits while nothing comes from the job, in milliseconds:
   * no result, data, warning or progress. Then the call fails with
   * `GEARMAN_TIMEOUT`, and the client gives the job up (`withdraw`). 0: no
   * limit. Default 60_000.
   */
  timeout?: number;
  /** The spans of submissions, which are written if `@opentelemetry/api` is installed; false: none. */
  tracing?: TracingOptions | false;
  /** Turns the data into a workload. Default: by the format. */
  serializer?: GearmanSerializer<RequestPacket>;
  /** Turns results into values. Default: by the format. */
  deserializer?: GearmanDeserializer<ResponsePacket>;
}

/** The default of a client's `timeout`, in milliseconds. */
export const DEFAULT_TIMEOUT = 60_000;

/** The names of all options; the compiler checks that none is missing. */
const CLIENT_OPTIONS: Record<keyof GearmanClientOptions, true> = {
  ...JOB_CLIENT_OPTIONS,
  prefix: true,
  format: true,
  timeout: true,
  tracing: true,
  serializer: true,
  deserializer: true,
};

const CLIENT_RULES = {
  prefix: RULES.prefix,
  format: RULES.format,
  timeout: RULES.duration,
  tracing: TRACING_RULE,
  serializer: RULES.serializer,
  deserializer: RULES.deserializer,
};

/** Separates the options of the driver from those of the transport alone. Throws `GEARMAN_INVALID_OPTION`. */
export function splitClientOptions(options: GearmanClientOptions) {
  checkNames(options, CLIENT_OPTIONS);
  checkOptions(options, CLIENT_RULES);
  const { prefix, format, timeout, tracing, serializer, deserializer, ...driver } = options;
  return { own: { prefix, format, timeout, tracing, serializer, deserializer }, driver };
}
