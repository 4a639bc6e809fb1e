import { answerJson } from '../http/answers.js';
import type { AnyCall } from './call.js';

/** What the caller may do, and at which job servers; job servers elsewhere are not asked. */
export function me({ response, permission, shared }: AnyCall): void {
  const servers = shared.sources.map((source) => ({ name: source.name, isRemote: !('jobServer' in source) }));
  answerJson(response, 200, { name: permission.name, role: permission.role, isForAll: permission.isForAll, servers });
}
