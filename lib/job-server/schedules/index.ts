export { readCrontab } from './crontab.js';
export { RecurringJob } from './recurring-job.js';
export type { ScheduleSnapshot, ScheduleSource, TickOutcome } from './recurring-job.js';
export type {
  MissedPolicy,
  OverlapPolicy,
  Schedule,
  ScheduleOptions,
  ScheduleTable,
  ScheduleTime,
  ScheduleWorkload,
} from './schedule.js';
export type { ScheduleHost } from './schedule-host.js';
export { scheduleHost } from './schedule-hosts.js';
export { readSchedule } from './schedule-rules.js';
export { MAX_SCHEDULES, Schedules } from './schedules.js';
export { nextTicks } from './ticks.js';
