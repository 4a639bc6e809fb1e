import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { checkOption, InvalidOptionError, oneOf, type OptionRule } from '../../ground/index.js';
import { ROLES, type Grant, type Role } from './grant.js';
import { digestOf, TokenFile } from './token-file.js';

/** Somebody who logs in by name and password. */
export interface BasicUser {
  name: string;
  password: string;
  /** Default `operate`. */
  role?: Role;
  functions?: readonly string[];
}

/** Decides by the request; undefined for somebody it does not know. */
export type AccessFunction = (request: IncomingMessage) => Grant | Role | undefined | Promise<Grant | Role | undefined>;

/**
 * Who may do what. `{ tokens: FILE }`: bearer tokens, or Basic authentication
 * with the token as the password; `{ basic }`: names and passwords; a function;
 * `'open'`: everybody may do everything. There is no default.
 */
export type Access = 'open' | { tokens: string } | { basic: readonly BasicUser[] } | AccessFunction;

/** The option {@link Access}, checked and ready for questions. */
export interface AccessCheck {
  /** Whether everybody may do everything. */
  readonly isOpen: boolean;
  /** How a 401 tells the client to log in; undefined if there is no way to log in. */
  readonly challenge: string | undefined;
  grantOf(request: IncomingMessage): Grant | undefined | Promise<Grant | undefined>;
  /** Reads files again. @returns a function that decides anew about requests that are open; undefined if nothing can have changed. */
  reload(): ((request: IncomingMessage) => Grant | undefined) | undefined;
}

const CHOICES =
  "'open', { tokens: FILE }, { basic: [{ name, password, role }] } or a function of the request that returns a role";
const BEARER = 'Bearer realm="Gearman"';
const CHALLENGE = 'Basic realm="Gearman", charset="UTF-8"';

/** @throws InvalidOptionError naming the choices. */
export function accessCheck(access: Access): AccessCheck {
  if (access === 'open') return check({ isOpen: true, grantOf: () => ({ role: 'operate' }) });
  // Only the function knows how to log in, so a browser does not ask for a password.
  if (typeof access === 'function')
    return check({ challenge: BEARER, grantOf: async (request) => asGrant(await access(request)) });
  if (typeof access === 'object' && access !== null) {
    if ('tokens' in access && typeof access.tokens === 'string') return tokenCheck(access.tokens);
    if ('basic' in access && Array.isArray(access.basic) && access.basic.length > 0) return basicCheck(access.basic);
  }
  // The message does not show the value, because it may contain passwords.
  throw new InvalidOptionError('access', `must be ${CHOICES}`);
}

function check(given: Partial<AccessCheck> & Pick<AccessCheck, 'grantOf'>): AccessCheck {
  return { isOpen: false, challenge: undefined, reload: () => undefined, ...given };
}

function asGrant(answer: Grant | Role | undefined): Grant | undefined {
  const grant = typeof answer === 'string' ? { role: answer } : answer;
  return grant && ROLES.includes(grant.role) ? grant : undefined;
}

function tokenCheck(path: string): AccessCheck {
  const file = new TokenFile(path);
  const grantOf = (request: IncomingMessage): Grant | undefined => {
    const token = bearerOf(request) ?? basicOf(request)?.password;
    return token === undefined ? undefined : file.grantOf(token);
  };
  const reload = (): typeof grantOf => {
    file.reload();
    return grantOf;
  };
  return check({ challenge: CHALLENGE, reload, grantOf });
}

function basicCheck(users: readonly BasicUser[]): AccessCheck {
  const entries = users.map((user) => {
    checkUser(user);
    const { name, password, role = 'operate', functions } = user;
    const grant: Grant = { name, role, ...(functions && { functions }) };
    return { digest: digestOf(`${name}:${password}`), grant };
  });
  return check({
    challenge: CHALLENGE,
    grantOf: (request) => {
      const given = basicOf(request);
      const digest = digestOf(given ? `${given.name}:${given.password}` : '');
      let found: Grant | undefined;
      for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry.grant;
      return given && found;
    },
  });
}

const PATTERNS: OptionRule = {
  test: (list) => Array.isArray(list) && list.every((pattern) => typeof pattern === 'string'),
  allowed: "a list of names, as ['mail*']",
};

/** Refuses an undefined password, such as a missing variable of the environment: everybody could log in with the word `undefined`. */
function checkUser({ name, password, role, functions }: BasicUser): void {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  if (!isText(name) || name.includes(':')) {
    throw InvalidOptionError.notAllowed('access.basic.name', name, 'a text without a colon, not an empty one');
  }
  if (!isText(password))
    throw new InvalidOptionError('access.basic.password', `of ${name} must be a text, not an empty one`);
  checkOption('access.basic.role', role, oneOf(...ROLES));
  checkOption('access.basic.functions', functions, PATTERNS);
}

/** The bearer token of a request. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function basicOf({ headers }: IncomingMessage): { name: string; password: string } | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, name = '', password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return password === undefined ? undefined : { name, password };
}
