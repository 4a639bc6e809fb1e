export type { ListenerAdminAccess } from './admin-access.js';
export { CertificateError, type TlsListenerOptions } from './certificates.js';
export { sayGoodbye } from './goodbye.js';
export { ListenError, refuseToListen } from './listen-error.js';
export { Listener, type ListenerOptions } from './listener.js';
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
export { Traffic, type CloseReason, type ConnectionRefusal } from './traffic.js';
