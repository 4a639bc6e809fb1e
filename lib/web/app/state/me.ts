import { computed, signal } from '@preact/signals';
import { ask } from './api.js';
import { server } from './route.js';

export type Role = 'read' | 'inspect' | 'submit' | 'operate';
const ROLES: readonly Role[] = ['read', 'inspect', 'submit', 'operate'];

/** Who the user is, and the job servers to choose from. */
export interface Me {
  readonly name: string;
  readonly role: Role;
  readonly isForAll: boolean;
  readonly servers: readonly { readonly name: string; readonly isRemote: boolean }[];
}

export const me = signal<Me | undefined>(undefined);

/** Whether the job server is asked in Gearman's own protocol, which tells less. */
export const isRemote = computed(() => {
  const servers = me.value?.servers ?? [];
  return (servers.find(({ name }) => name === server.value) ?? servers[0])?.isRemote ?? false;
});

/** Whether the user may do what needs a role. */
export function may(role: Role): boolean {
  return me.value !== undefined && ROLES.indexOf(me.value.role) >= ROLES.indexOf(role);
}

export async function learnWho(): Promise<void> {
  me.value = await ask<Me>('GET', 'me');
}
