import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { Failure } from '../failure.js';

/**
 * Continues as another user, with that user's groups. Like gearmand, it does so
 * before it opens files and ports.
 *
 * @throws Failure unless the process is root's, or that user's already.
 */
export function becomeUser(name: string): void {
  if (process.getuid?.() !== 0) {
    if (userInfo().username === name) return;
    throw new Failure(`--user ${name}: only root can become another user; leave --user out, or start as root`);
  }
  const [group, ...more] = groupsOf(name);
  try {
    process.setgroups!([group!, ...more]);
    process.setgid!(group!);
    process.setuid!(name);
  } catch (error) {
    throw new Failure(`--user ${name}: ${(error as Error).message}`, undefined, { cause: error });
  }
}

/** The ids of a user's groups, the primary one first. */
function groupsOf(name: string): number[] {
  const ids = (option: string): number[] =>
    execFileSync('id', [option, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
      .split(' ')
      .map(Number);
  try {
    return [...ids('-g'), ...ids('-G')];
  } catch (error) {
    throw new Failure(`--user ${name}: there is no such user`, undefined, { cause: error });
  }
}
