import { SetMetadata } from '@nestjs/common';
import type { ScheduleOptions } from '../schedules/index.js';

/** The metadata key of a handler's schedules. */
export const SCHEDULES_METADATA = 'nestjs-gearman:schedules';

/** What may be said of a handler's schedule beside its pattern. */
export interface GearmanScheduleOptions extends Omit<ScheduleOptions, 'function' | 'cron' | 'every'> {
  /** Default: the handler's function. With two schedules of a handler, each has its own. */
  readonly id?: string;
  /** Default: the pattern of the handler, where that is a text. */
  readonly function?: string;
}

/** A schedule as it stands on a handler. */
export type HandlerSchedule = GearmanScheduleOptions & Pick<ScheduleOptions, 'cron' | 'every'>;

/**
 * Has a job of this handler's function submitted again and again, by the job
 * server that is embedded in the app (`GearmanJobServerModule`). Each instance
 * of the app declares it: with job servers of their own, each fires it.
 *
 * ```ts
 * @MessagePattern('report')
 * @GearmanSchedule('0 3 * * *', { timeZone: 'Europe/Berlin' })
 * report() {}
 * ```
 *
 * @param when a pattern of cron, or how often, in milliseconds.
 */
export function GearmanSchedule(when: string | number, options: GearmanScheduleOptions = {}): MethodDecorator {
  const schedule: HandlerSchedule = { ...options, ...(typeof when === 'string' ? { cron: when } : { every: when }) };
  return (target, key, descriptor: PropertyDescriptor) => {
    const method = descriptor.value as object;
    const before = (Reflect.getMetadata(SCHEDULES_METADATA, method) ?? []) as HandlerSchedule[];
    SetMetadata(SCHEDULES_METADATA, [schedule, ...before])(target, key, descriptor);
  };
}
