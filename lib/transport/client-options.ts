import type { JobClientOptions } from '../driver/index.js';
import type { WorkloadFormat } from './formats.js';
import type { GearmanDeserializer, GearmanSerializer, RequestPacket, ResponsePacket } from './gearman.serializer.js';
import { TRACING_RULE, type TracingOptions } from './tracing/tracing-options.js';
import { checkNames, checkOptions, RULES } from './option-rules.js';

/** Options of a `GearmanClient`; all of them are optional. */
export interface GearmanClientOptions extends JobClientOptions {
  /** What every function's name begins with on the job server: a tenant, an environment (`staging.`). Default: nothing. */
  prefix?: string;
  /** How workloads and results travel, where neither the record nor the contract says. Default `json`. */
  format?: WorkloadFormat;
  /**
   * How long a caller waits without a sign of the job, in milliseconds: neither
   * result nor data, warning or progress has come. Then the call fails with
   * `GEARMAN_TIMEOUT`, and the job is given up (`withdraw`). 0: for ever. Default 60_000.
   */
  timeout?: number;
  /** The spans of submissions, which are written where `@opentelemetry/api` is installed; false: none. */
  tracing?: TracingOptions | false;
  /** Makes the data a workload. Default: goes by the format. */
  serializer?: GearmanSerializer<RequestPacket>;
  /** Makes results values. Default: goes by the format. */
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

/** Parts what the driver is told from what it knows nothing of. Throws `GEARMAN_INVALID_OPTION`. */
export function splitClientOptions(options: GearmanClientOptions) {
  checkNames(options, CLIENT_OPTIONS);
  checkOptions(options, CLIENT_RULES);
  const { prefix, format, timeout, tracing, serializer, deserializer, ...driver } = options;
  return { own: { prefix, format, timeout, tracing, serializer, deserializer }, driver };
}
