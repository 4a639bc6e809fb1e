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
  private readonly patterns: readonly NamePattern[] | undefined;
  private readonly rank: number;

  /** @param cap the highest role, whatever the grant says. */
  constructor({ role, name = '-', functions }: Grant, cap: Role = 'operate') {
    this.name = name;
    this.rank = Math.min(ROLES.indexOf(role), ROLES.indexOf(cap));
    this.patterns = functions?.map((pattern) => new NamePattern(pattern));
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
    return this.patterns?.some((pattern) => pattern.fits(name)) ?? true;
  }
}

/** Names by a text in which `*` stands for any text. No regular expression: callers write these, and some would take it years. */
class NamePattern {
  private readonly first: string;
  private readonly last: string | undefined;
  private readonly between: readonly string[];

  constructor(pattern: string) {
    const [first, ...rest] = pattern.split(/\*+/);
    this.first = first!;
    this.last = rest.pop();
    this.between = rest;
  }

  fits(name: string): boolean {
    const { first, last, between } = this;
    if (last === undefined) return name === first;
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of between) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
