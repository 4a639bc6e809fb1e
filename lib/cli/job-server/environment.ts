import { notAllowed } from '../../ground/index.js';
import { UsageFailure } from '../failure.js';

/** What the environment says. */
export interface EnvironmentPort {
  port?: number;
  /** What to say about it in the log. */
  note?: string;
}

/**
 * Reads GEARMAND_PORT, which stands in for `--port`. Kubernetes sets it to
 * `tcp://10.0.0.1:4730` in every pod beside a service called `gearmand`, to
 * C gearmand's undoing.
 *
 * @throws UsageFailure for what is neither that nor a port.
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
