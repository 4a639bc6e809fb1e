// Not from the room's index, all of which is exported to users.
import { JOB_WORKER_OPTIONS, type JobWorkerOptions } from '../driver/job-worker.js';
import type { WorkloadFormat } from './formats.js';
import type { GearmanDeserializer, GearmanSerializer, RequestPacket, ResponsePacket } from './gearman.serializer.js';
import { TRACING_RULE, type TracingOptions } from './tracing/tracing-options.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/** Options of a `GearmanStrategy`; all of them are optional. */
export interface GearmanStrategyOptions extends JobWorkerOptions {
  /** The prefix of every function's name on the job server: a tenant, an environment (`staging.`). Default: none. */
  prefix?: string;
  /** The format of workloads and results, for handlers that do not say it. Default `json`. */
  format?: WorkloadFormat;
  /** How long a job may run, in milliseconds, for handlers that do not say it. Default 0: no limit. */
  timeout?: number;
  /**
   * How long running handlers may take to finish when the application closes,
   * in milliseconds; then their signals abort, and their job servers give the
   * jobs to other workers. Default 10_000.
   */
  gracePeriod?: number;
  /** The spans of handlers, which are written if `@opentelemetry/api` is installed; false: none. */
  tracing?: TracingOptions | false;
  /** Turns a handler's values into bytes. Default: by the format. */
  serializer?: GearmanSerializer<ResponsePacket>;
  /** Turns a workload into the handler's data. Default: by the format. */
  deserializer?: GearmanDeserializer<RequestPacket>;
}

/** The names of all options; the compiler checks that none is missing. */
const STRATEGY_OPTIONS: Record<keyof GearmanStrategyOptions, true> = {
  ...JOB_WORKER_OPTIONS,
  prefix: true,
  format: true,
  timeout: true,
  gracePeriod: true,
  tracing: true,
  serializer: true,
  deserializer: true,
};

const STRATEGY_RULES = {
  prefix: RULES.prefix,
  format: RULES.format,
  timeout: RULES.duration,
  gracePeriod: RULES.duration,
  tracing: TRACING_RULE,
  serializer: RULES.serializer,
  deserializer: RULES.deserializer,
};

/** Separates the options of the driver from those of the transport alone. Throws `GEARMAN_INVALID_OPTION`. */
export function splitStrategyOptions(options: GearmanStrategyOptions) {
  checkNames(options, STRATEGY_OPTIONS);
  checkOptions(options, STRATEGY_RULES);
  const { prefix, format, timeout, gracePeriod, tracing, serializer, deserializer, ...driver } = options;
  return { own: { prefix, format, timeout, gracePeriod, tracing, serializer, deserializer }, driver };
}
