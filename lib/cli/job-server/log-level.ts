import { ValueProblem } from '../options/option.js';

/** gearmand's levels, the most severe first. */
export const LOG_LEVELS = ['FATAL', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Reads a level, in upper or lower case. */
export function logLevel(value: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === value.toUpperCase());
  if (!level) throw new ValueProblem(LOG_LEVELS.join(', '));
  return level;
}
