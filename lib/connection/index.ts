export {
  Connection,
  DEFAULT_MAX_SEND_BUFFER_BYTES,
  SendBufferFullError,
  type ConnectionListener,
  type ConnectionOptions,
} from './connection.js';
