import { InvalidOptionError } from '../ground/index.js';
import {
  fitMetadata,
  isMetadata,
  type FittingMetadata,
  type GearmanMetadata,
  type JobRequest,
} from '../driver/index.js';
import { DEFAULT_TIMEOUT, type GearmanClientOptions } from './client-options.js';
import { DEFAULT_FORMAT } from './formats.js';
import { FunctionContract } from './function-contract.js';
import { GearmanRecord, type GearmanRecordOptions } from './gearman.record.js';
import { bytesOf, REQUEST_FORMATS, type RequestPacket, type WorkloadDescription } from './gearman.serializer.js';

/** A job that is ready to be submitted. */
export interface JobCall {
  readonly request: JobRequest;
  readonly workload: WorkloadDescription;
  /** The longest silence, in milliseconds; 0: no limit. */
  readonly timeout: number;
  /** Whether metadata may be sent with it. */
  readonly sendsMetadata: boolean;
  /** The fields that were left out of the metadata because it was too long. */
  readonly leftOut: string[];
}

/**
 * Turns a packet of Nest's into a call. The record's options go before the
 * contract's, and those before the client's.
 *
 * Throws `GEARMAN_INVALID_WORKLOAD` and `GEARMAN_INVALID_OPTION`.
 */
export function prepareCall(packet: RequestPacket, functionName: string, options: GearmanClientOptions): JobCall {
  const isRecord = packet.data instanceof GearmanRecord;
  const data: unknown = isRecord ? (packet.data as GearmanRecord).data : packet.data;
  const record = isRecord ? (packet.data as GearmanRecord).options : NO_OPTIONS;
  const described = describeWorkload(packet.pattern, functionName, options);
  const workload = record.format === undefined ? described : { ...described, format: record.format };
  const { metadata, leftOut } = sendable(mergeMetadata(packet.metadata, record.metadata), options);
  if (record.metadata && options.metadata === false) {
    throw new InvalidOptionError(
      'metadata',
      "must be left out while the client's option `metadata` is false (in a record)",
    );
  }
  const serializer = options.serializer ?? REQUEST_FORMATS;
  const bytes = bytesOf(serializer.serialize({ pattern: packet.pattern, data, metadata }, workload));
  return {
    request: requestOf(record, functionName, bytes, metadata),
    workload,
    timeout: record.timeout ?? options.timeout ?? DEFAULT_TIMEOUT,
    sendsMetadata: options.metadata !== false,
    leftOut: [...leftOut],
  };
}

/** The function and its format: the contract's format goes before the client's. */
export function describeWorkload(
  pattern: unknown,
  functionName: string,
  options: Pick<GearmanClientOptions, 'format'>,
): WorkloadDescription {
  const format = pattern instanceof FunctionContract ? pattern.options.format : undefined;
  return { function: functionName, format: format ?? options.format ?? DEFAULT_FORMAT };
}

/** Refuses what only a background job may ask for. */
export function checkForeground({ at }: JobRequest): void {
  if (at)
    throw new InvalidOptionError(
      'at',
      'must be left out, as `delay` must, when somebody waits for the job: use emit()',
    );
}

const NO_OPTIONS: GearmanRecordOptions = {};

function requestOf(
  record: GearmanRecordOptions,
  functionName: string,
  workload: Uint8Array,
  metadata: GearmanMetadata | undefined,
): JobRequest {
  // Most calls have no record: then nothing is read from it and nothing copied.
  if (record === NO_OPTIONS) return { function: functionName, workload, metadata };
  const { priority, unique, at, delay, resubmit, reducer } = record;
  const due = delay === undefined ? at : new Date(Date.now() + delay);
  return { function: functionName, workload, priority, unique, resubmit, reducer, at: due, metadata };
}

function mergeMetadata(hooked?: GearmanMetadata, recorded?: GearmanMetadata): GearmanMetadata | undefined {
  return hooked && recorded ? { ...hooked, ...recorded } : (recorded ?? hooked);
}

const NO_METADATA: Partial<FittingMetadata> & Pick<FittingMetadata, 'leftOut'> = { leftOut: [] };

/** Checks metadata, because a hook may set anything; a record's was already checked when the record was built. */
function sendable(
  metadata: GearmanMetadata | undefined,
  options: Pick<GearmanClientOptions, 'metadata'>,
): typeof NO_METADATA {
  if (metadata === undefined || options.metadata === false) return NO_METADATA;
  const told: unknown = withoutUndefined(metadata);
  if (isMetadata(told)) return fitMetadata(told);
  throw new InvalidOptionError('metadata', 'must be an object whose values are texts (of the dispatch hook)');
}

/** A hook may name a field that it has no value for: `{ traceparent: current?.traceparent }`. */
function withoutUndefined(metadata: object): object {
  if (!Object.values(metadata).includes(undefined)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
}
