import { isRemote, may, type Role } from '../state/me.js';

interface ActionProps {
  readonly label: string;
  /** The role that is needed. */
  readonly role: Role;
  /** The key that does the same, if the page has one. */
  readonly hotkey?: string;
  readonly isDestructive?: boolean;
  /** Why it cannot be done now; undefined if it can. */
  readonly whyNot?: string | undefined;
  /** Whether only a job server of the same process can do it. */
  readonly isOnlyHere?: boolean;
  run(): void;
}

/** A button that changes something. It is grey and gives the reason if the user may not do it, or if it cannot be done. */
export function Action({ label, role, hotkey, isDestructive, whyNot, isOnlyHere, run }: ActionProps) {
  const reason = reasonNotTo(role, isOnlyHere) ?? whyNot;
  return (
    <button
      class={isDestructive ? 'destructive' : ''}
      disabled={reason !== undefined}
      title={reason ?? (hotkey ? `Key: ${hotkey}` : undefined)}
      onClick={run}
    >
      {label}
    </button>
  );
}

/** Why the user may not do it; undefined if they may. */
export function reasonNotTo(role: Role, isOnlyHere = false): string | undefined {
  if (!may(role)) return `This needs the role ${role}.`;
  if (isOnlyHere && isRemote.value) return 'A job server that is asked in Gearman’s own protocol cannot do this.';
  return undefined;
}
