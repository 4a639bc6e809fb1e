import type { AdminAccess } from './session-host.js';

/** Whether a listener answers admin words; `loopback`: to peers of this machine alone. */
export type ListenerAdminAccess = AdminAccess | 'loopback';

/** What a peer may do. @param address its IP address; undefined for one at a unix socket. */
export function adminAccessFrom(address: string | undefined, access: ListenerAdminAccess): AdminAccess {
  if (access !== 'loopback') return access;
  const isNear = address === undefined || address.startsWith('127.') || address === '::1';
  return isNear ? 'allowed' : 'refused';
}
