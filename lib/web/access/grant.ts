/**
 * What a caller may do; each may all that those before it may. `read`: see
 * everything but what is in jobs. `inspect`: workloads, results and errors.
 * `submit`: submit jobs. `operate`: change and delete.
 */
export type Role = 'read' | 'inspect' | 'submit' | 'operate';

/** The roles, the least first. */
export const ROLES: readonly Role[] = ['read', 'inspect', 'submit', 'operate'];

/** What somebody is allowed. */
export interface Grant {
  role: Role;
  /** What audit lines call the caller. Default `-`. */
  name?: string;
  /** Only these functions, `*` stands for any text: `['mail*']`. Default: all. */
  functions?: readonly string[];
}

/** A {@link Grant} that is asked about many functions. */
export class Permission {
  readonly name: string;
  private readonly patterns: readonly RegExp[] | undefined;
  private readonly rank: number;

  /** @param cap the highest role, whatever the grant says. */
  constructor({ role, name = '-', functions }: Grant, cap: Role = 'operate') {
    this.name = name;
    this.rank = Math.min(ROLES.indexOf(role), ROLES.indexOf(cap));
    this.patterns = functions?.map(patternOf);
  }

  /** The highest role that it may. */
  get role(): Role {
    return ROLES[this.rank]!;
  }

  /** Whether it is for all functions. */
  get isForAll(): boolean {
    return this.patterns === undefined;
  }

  may(role: Role): boolean {
    return this.rank >= ROLES.indexOf(role);
  }

  /** Whether it is for a function, by its name as text. */
  covers(name: string): boolean {
    return this.patterns?.some((pattern) => pattern.test(name)) ?? true;
  }
}

function patternOf(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
