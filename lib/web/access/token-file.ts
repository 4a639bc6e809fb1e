import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ROLES, type Grant, type Role } from './grant.js';

interface Entry {
  readonly digest: Buffer;
  readonly grant: Grant;
}

/**
 * A file of tokens with one line each, `NAME ROLE SHA256 [FUNCTION,...]`; empty
 * lines and lines that begin with `#` are ignored. The file has only the tokens' hashes.
 */
export class TokenFile {
  private entries: readonly Entry[];

  /** @throws Error if it cannot be read, or if a line is wrong. */
  constructor(private readonly path: string) {
    this.entries = this.read();
  }

  /** Reads the file again; if that throws, the former tokens stay. */
  reload(): void {
    this.entries = this.read();
  }

  /** What a token allows. It takes the same time for every text, whether or not it is a token. */
  grantOf(token: string): Grant | undefined {
    const digest = digestOf(token);
    let found: Grant | undefined;
    for (const entry of this.entries) if (timingSafeEqual(entry.digest, digest)) found = entry.grant;
    return found;
  }

  private read(): Entry[] {
    const lines = readFileSync(this.path, 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const text = line.trim();
      return text === '' || text.startsWith('#') ? [] : [entryOf(text, `${this.path}:${index + 1}`)];
    });
  }
}

/** Makes a token, and the line for a token file that allows it. */
export function newToken(name: string, role: Role, functions: readonly string[] = []): { token: string; line: string } {
  const token = randomBytes(32).toString('base64url');
  const parts = [name, role, digestOf(token).toString('hex'), ...(functions.length > 0 ? [functions.join(',')] : [])];
  return { token, line: parts.join(' ') };
}

function entryOf(text: string, place: string): Entry {
  const [name = '', role = '', digest = '', functions, ...rest] = text.split(/\s+/);
  if (!ROLES.includes(role as Role) || !/^[0-9a-f]{64}$/i.test(digest) || rest.length > 0) {
    throw new Error(
      `${place}: must be NAME ROLE SHA256 [FUNCTION,...], with a role of ${ROLES.join(', ')}; ` +
        '`nestjs-gearman web-token NAME --role ROLE` writes such a line',
    );
  }
  const narrowed = functions === undefined ? {} : { functions: functions.split(',') };
  return { digest: Buffer.from(digest, 'hex'), grant: { name, role: role as Role, ...narrowed } };
}

export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
