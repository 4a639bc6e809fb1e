import { runInThisContext } from 'node:vm';

/**
 * Calls `act` in a time zone, such as `America/New_York`. Only the environment of the
 * real process sets the zone, and Jest gives tests a copy of it.
 */
export function inTimeZone<Result>(zone: string, act: () => Result): Result {
  const environment = runInThisContext('process.env') as NodeJS.ProcessEnv;
  const before = environment.TZ;
  environment.TZ = zone;
  try {
    return act();
  } finally {
    if (before === undefined) delete environment.TZ;
    else environment.TZ = before;
  }
}
