/**
 * What a caller may do; each role includes the ones before it. `read`: see
 * everything except the content of jobs. `inspect`: see workloads, results and
 * errors. `submit`: submit jobs. `operate`: change and delete.
 */
export type Role = 'read' | 'inspect' | 'submit' | 'operate';

/** The roles, beginning with the one that allows least. */
export const ROLES: readonly Role[] = ['read', 'inspect', 'submit', 'operate'];

/** What a caller is allowed to do. */
export interface Grant {
  role: Role;
  /** The caller's name in audit lines. Default `-`. */
  name?: string;
  /** Only these functions; `*` stands for any text: `['mail*']`. Default: all. */
  functions?: readonly string[];
}

/** A {@link Grant} in a form that answers quickly for many functions. */
export class Permission {
  readonly name: string;
  private readonly patterns: readonly NamePattern[] | undefined;
  private readonly rank: number;

  /** @param cap the highest role that is possible, whatever the grant says. */
  constructor({ role, name = '-', functions }: Grant, cap: Role = 'operate') {
    this.name = name;
    this.rank = Math.min(ROLES.indexOf(role), ROLES.indexOf(cap));
    this.patterns = functions?.map((pattern) => new NamePattern(pattern));
  }

  /** The highest role that the caller has. */
  get role(): Role {
    return ROLES[this.rank]!;
  }

  /** Whether it allows all functions. */
  get isForAll(): boolean {
    return this.patterns === undefined;
  }

  may(role: Role): boolean {
    return this.rank >= ROLES.indexOf(role);
  }

  /** Whether it allows a function, given by its name as text. */
  covers(name: string): boolean {
    return this.patterns?.some((pattern) => pattern.fits(name)) ?? true;
  }
}

/** Matches names with a text in which `*` stands for any text. It is no regular expression, because callers write these, and some regular expressions would take years. */
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
