import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { InvalidOptionError } from '../../ground/index.js';
import type { ScheduleOptions, ScheduleTable } from '../schedules/index.js';
import { GearmanJobServer } from './gearman-job-server.js';
import { SCHEDULES_METADATA, type HandlerSchedule } from './gearman-schedule.decorator.js';

/** Where Nest keeps the patterns of a message handler. */
const PATTERN_METADATA = 'microservices:pattern';

/** Declares what stands on the app's handlers by `@GearmanSchedule`. */
@Injectable()
export class HandlerSchedules implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly jobServer: GearmanJobServer,
  ) {}

  /** @throws InvalidOptionError for a schedule that is not allowed. */
  onModuleInit(): void {
    const table: Record<string, ScheduleOptions> = {};
    for (const { instance } of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      if (typeof instance !== 'object' || instance === null) continue;
      this.collect(instance as object, table);
    }
    this.jobServer.schedules.declare('decorator', table satisfies ScheduleTable);
  }

  private collect(instance: object, table: Record<string, ScheduleOptions>): void {
    const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
    if (!prototype) return;
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const method = prototype[name] as object;
      const schedules = (Reflect.getMetadata(SCHEDULES_METADATA, method) ?? []) as HandlerSchedule[];
      for (const schedule of schedules) {
        const function_ = schedule.function ?? patternOf(method, `${instance.constructor.name}.${name}`);
        const { id = function_, ...options } = schedule;
        if (Object.hasOwn(table, id)) {
          throw new InvalidOptionError(`schedules.${id}`, 'is on two handlers: give one of them another id');
        }
        table[id] = { ...options, function: function_ };
      }
    }
  }
}

function patternOf(method: object, place: string): string {
  const patterns = (Reflect.getMetadata(PATTERN_METADATA, method) ?? []) as unknown[];
  const [pattern] = patterns;
  if (typeof pattern === 'string') return pattern;
  const cure = "a text as its pattern, or say which, as @GearmanSchedule('0 3 * * *', { function: 'report' })";
  throw new InvalidOptionError(`@GearmanSchedule of ${place}`, `needs a handler with ${cure}`);
}
