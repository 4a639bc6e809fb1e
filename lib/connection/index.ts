export type { ServerAddress, SocketAddress, StreamAddress, TlsOptions } from './address.js';
export type { BackoffOptions } from './backoff.js';
export {
  Connection,
  DEFAULT_MAX_SEND_BUFFER_BYTES,
  SendBufferFullError,
  type ConnectionListener,
  type ConnectionOptions,
} from './connection.js';
export { ConnectError, GearmanError, InvalidOptionError, type GearmanErrorCode } from './errors.js';
