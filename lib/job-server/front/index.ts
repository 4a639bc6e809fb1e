export type { ListenerAdminAccess } from './admin-access.js';
export { Answer, queueError, type Submitted } from './answer.js';
export { CertificateError, type TlsListenerOptions } from './certificates.js';
export { Listener, type ListenerOptions } from './listener.js';
export type {
  AccessRequest,
  Action,
  AdminAccess,
  Conversation,
  DeadLetterLine,
  DeadLetters,
  Log,
  PeerInfo,
  SessionHost,
  StoredJobs,
  StoredLine,
  StoredState,
} from './session-host.js';
export { Session } from './session.js';
