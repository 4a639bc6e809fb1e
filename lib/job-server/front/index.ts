export type { ListenerAdminAccess } from './admin-access.js';
export { answeringAtOnce } from './answering-at-once.js';
export { CertificateError, type TlsListenerOptions } from './certificates.js';
export { sayGoodbye } from './goodbye.js';
export { ListenError } from './listen-error.js';
export type { ListenerOptions } from './listener.js';
export { Listeners } from './listeners.js';
export type {
  AccessRequest,
  Action,
  AdminAccess,
  Conversation,
  DeadLetters,
  PeerInfo,
  SessionHost,
  StoredJobs,
} from './session-host.js';
export { Session } from './session.js';
export { StallWatch } from './stall-watch.js';
export { countOne, Traffic, type CloseReason, type ConnectionRefusal } from './traffic.js';
