export { Listener, type ListenerOptions, type TlsListenerOptions } from './listener.js';
export type {
  AccessRequest,
  Action,
  AdminAccess,
  Conversation,
  Log,
  PeerInfo,
  SessionHost,
  StoredJobs,
  StoredLine,
  Submitted,
} from './session-host.js';
export { Session } from './session.js';
