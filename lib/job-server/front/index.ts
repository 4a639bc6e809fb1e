export { Listener, type ListenerOptions, type TlsListenerOptions } from './listener.js';
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
  Submitted,
} from './session-host.js';
export { Session } from './session.js';
