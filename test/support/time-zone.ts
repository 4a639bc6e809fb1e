import { runInThisContext } from 'node:vm';

/**
 * Lets `act` happen in a time zone, as `America/New_York`. Only the real
 * process's environment sets the zone, and jest gives tests a copy of it.
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
