import type { FunctionActivity, FunctionOverview } from '../../../../lib/driver/index.js';
import { unread, withReading, type Reading, type Watched } from '../../../../lib/cli/top/readings.js';

/** A function as our job server tells it: idle, but for what is said. */
export function overview(name: string, told: Partial<FunctionOverview> = {}): FunctionOverview {
  const limits = { high: 0, normal: 0, low: 0 };
  const counts = { total: 0, running: 0, high: 0, normal: 0, low: 0, delayed: 0, workers: 1 };
  return { function: name, ...counts, isPaused: false, limits, ...told };
}

/** What went on in it: nothing, but for what is said. */
export function activity(name: string, told: Partial<FunctionActivity> = {}): FunctionActivity {
  return { function: name, oldestWaiting: 0, longestRunning: 0, submitted: 0, completed: 0, failed: 0, ...told };
}

/** A reading at a time, in milliseconds. Without activities: of gearmand. */
export function reading(
  at: number,
  functions: readonly FunctionOverview[],
  activities?: readonly FunctionActivity[],
): Reading {
  return { at, functions, activity: activities && new Map(activities.map((row) => [row.function, row])) };
}

/** A job server that has told so. */
export function watched(server: string, ...readings: readonly Reading[]): Watched {
  return readings.reduce(withReading, unread(server));
}
