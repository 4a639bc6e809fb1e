import { notAllowed } from '../../ground/index.js';
import { UsageFailure } from '../failure.js';

/** The port that the environment sets, if any. */
export interface EnvironmentPort {
  port?: number;
  /** What the log should say about it. */
  note?: string;
}

/**
 * Reads GEARMAND_PORT, which replaces `--port`. Kubernetes sets it to
 * `tcp://10.0.0.1:4730` in every pod if there is a service called `gearmand`;
 * C gearmand cannot start then.
 *
 * @throws UsageFailure for a value that is neither such an address nor a port.
 */
export function portFromEnvironment({ GEARMAND_PORT: value = '' }: NodeJS.ProcessEnv): EnvironmentPort {
  if (value === '') return {};
  if (/^[a-z]+:\/\//.test(value)) {
    return { note: `GEARMAND_PORT=${value} is ignored: it is the address of a service, as Kubernetes sets it` };
  }
  const port = /^\d+$/.test(value) ? Number(value) : NaN;
  if (!(port <= 65_535)) {
    throw new UsageFailure(`the environment's GEARMAND_PORT: ${notAllowed(value, 'a port from 0 to 65535')}`);
  }
  return { port };
}
