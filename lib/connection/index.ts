export {
  DEFAULT_PORT,
  parseAddress,
  parseServers,
  type Endpoint,
  type ServerAddress,
  type SocketAddress,
  type StreamAddress,
} from './address.js';
export { Backoff, backoffOptions, type BackoffOptions } from './backoff.js';
export {
  Connection,
  DEFAULT_MAX_SEND_BUFFER_BYTES,
  SendBufferFullError,
  type ConnectionListener,
  type ConnectionOptions,
} from './connection.js';
export { dial, type DialOptions } from './dial.js';
export { ConnectError } from './errors.js';
export { problemOf } from './problem.js';
export { Outbox } from './outbox.js';
export { SharedReads } from './shared-reads.js';
export type { TlsOptions } from './tls-options.js';
export { Turns, type Step } from './turns.js';
