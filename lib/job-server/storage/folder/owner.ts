import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasProcess } from '../../../ground/index.js';

/** Who has a folder open, as written in it. */
export interface Owner {
  /** Tells two storages of one process apart. */
  readonly id: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks; `''` where the system does not say. */
  readonly started: string;
  /** The machine, and since when it is up; `''` where the system does not say. */
  readonly boot: string;
  readonly host: string;
}

/** The storages that this process has open now; others of this process are gone. */
const openHere = new Set<string>();

/** An owner in this process, which is not alive before {@link opened} says so. */
export function newOwner(): Owner {
  return { id: randomUUID(), pid: process.pid, started: startOf('self'), boot: bootId(), host: hostname() };
}

/** An owner of this process has its folder from now on. */
export function opened({ id }: Owner): void {
  openHere.add(id);
}

/** An owner of this process has its folder no longer. */
export function closed({ id }: Owner): void {
  openHere.delete(id);
}

/** Whether an owner's process runs, and has the folder open still, as far as this machine can see. */
export function isAlive(owner: Owner): boolean {
  if (owner.boot !== bootId() || owner.host !== hostname()) return false;
  if (owner.pid === process.pid && owner.started === startOf('self')) return openHere.has(owner.id);
  // The number may have been given to another process since.
  return hasProcess(owner.pid) && owner.started === startOf(owner.pid);
}

/** When a process started: field 22 of its stat, behind the name, in which anything may stand. */
function startOf(pid: number | 'self'): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 1).split(' ')[20] ?? '';
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id').trim();
}

/** A file's text; `''` where there is none, as on systems without /proc. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
