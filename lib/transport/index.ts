export { DEFAULT_TIMEOUT, type GearmanClientOptions } from './client-options.js';
export { JobTimeoutError } from './errors.js';
export { DEFAULT_FORMAT, WORKLOAD_FORMATS, WorkloadFormatError, type WorkloadFormat } from './formats.js';
export {
  defineFunction,
  FunctionContract,
  type FunctionContractOptions,
  type NoContract,
  type UntypedPattern,
} from './function-contract.js';
export { GearmanClient } from './gearman.client.js';
export { GearmanContext, type GearmanContextArgs } from './gearman.context.js';
export {
  GearmanEvent,
  GearmanFunction,
  getGearmanClientToken,
  InjectGearmanClient,
  type ContractHandler,
  type HandlerResult,
  type TypedMethodDecorator,
} from './gearman.decorators.js';
export {
  GearmanHealthIndicator,
  type GearmanHealth,
  type GearmanHealthResult,
  type HealthSource,
} from './gearman.health.js';
export type { GearmanJob, GearmanJobUpdate } from './gearman.job.js';
export {
  GearmanModule,
  type GearmanModuleAsyncOptions,
  type GearmanModuleExtras,
  type GearmanModuleOptions,
  type GearmanOptionsFactory,
} from './gearman.module.js';
export { GearmanRecord, GearmanRecordBuilder, type GearmanRecordOptions } from './gearman.record.js';
export type { GearmanResult } from './gearman.result.js';
export type {
  GearmanDeserializer,
  GearmanSerializer,
  RequestPacket,
  ResponsePacket,
  WorkloadDescription,
} from './gearman.serializer.js';
export { GearmanStrategy } from './gearman.strategy.js';
export { GEARMAN_TRANSPORT } from './gearman.transport.js';
export type { GearmanHandlerOptions } from './handler-options.js';
export { GearmanEventsMap, GearmanStatus, type GearmanEvents } from './status.js';
export type { JobMode, TracedJob, TraceRelation, TracingOptions } from './tracing/tracing-options.js';
export type { GearmanStrategyOptions } from './strategy-options.js';
