import type { JobClientOptions } from '../driver/index.js';
import type { WorkloadFormat } from './formats.js';
import type { GearmanDeserializer, GearmanSerializer, RequestPacket, ResponsePacket } from './gearman.serializer.js';
import { TRACING_RULE, type TracingOptions } from './tracing/tracing-options.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/** Options of a `GearmanClient`; all of them are optional. */
export interface GearmanClientOptions extends JobClientOptions {
  /** What every function's name begins with on the job server: a tenant, an environment (`staging.`). Default: nothing. */
  prefix?: string;
  /** How workloads and results travel, when neither the record nor the contract says. Default `json`. */
  format?: WorkloadFormat;
  /**
   * How long a caller waits while nothing is heard of the job, in milliseconds:
   * no result, data, warning or progress. Then the call fails with
   * `GEARMAN_TIMEOUT`, and the client gives the job up (`withdraw`). 0: for
   * ever. Default 60_000.
   */
  timeout?: number;
  /** The spans of submissions, which are written where `@opentelemetry/api` is installed; false: none. */
  tracing?: TracingOptions | false;
  /** Turns the data into a workload. Default: as the format says. */
  serializer?: GearmanSerializer<RequestPacket>;
  /** Turns results into values. Default: as the format says. */
  deserializer?: GearmanDeserializer<ResponsePacket>;
}

/** The default of a client's `timeout`, in milliseconds. */
export const DEFAULT_TIMEOUT = 60_000;

/** Every option; the compiler keeps it complete. */
const CLIENT_OPTIONS: Record<keyof GearmanClientOptions, true> = {
  servers: true,
  tls: true,
  connectTimeout: true,
  reconnect: true,
  heartbeatInterval: true,
  heartbeatTimeout: true,
  maxPacketBytes: true,
  maxSendBufferBytes: true,
  clientId: true,
  choose: true,
  maxPendingSubmissions: true,
  generateUniques: true,
  withdraw: true,
  prefix: true,
  format: true,
  timeout: true,
  metadata: true,
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

/** Separates the options of the driver from those that only the transport knows. Throws `GEARMAN_INVALID_OPTION`. */
export function splitClientOptions(options: GearmanClientOptions) {
  checkNames(options, CLIENT_OPTIONS);
  checkOptions(options, CLIENT_RULES);
  const { prefix, format, timeout, tracing, serializer, deserializer, ...driver } = options;
  return { own: { prefix, format, timeout, tracing, serializer, deserializer }, driver };
}
