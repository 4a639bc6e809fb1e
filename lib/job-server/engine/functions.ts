import { type ByteString, PRIORITIES } from './job-spec.js';
import type { EngineOptions } from './engine-options.js';
import type { JobTable } from './job-table.js';
import type { Packing } from './job-queue.js';
import { GearmanFunction, type Job } from './model.js';
import { FunctionSettingTable } from './function-settings.js';
import { FunctionMask } from './function-mask.js';
import { FunctionStats } from './function-stats.js';
import { Touched } from './touched.js';

/** All functions by name and by number, and which of them have waiting jobs. */
export class Functions {
  private readonly byName = new Map<ByteString, GearmanFunction>();
  private readonly byNumber: (GearmanFunction | undefined)[] = [];
  private readonly freeNumbers: number[] = [];
  /** What operators set, also for functions that are not known yet. */
  readonly settings = new FunctionSettingTable();
  /** How many jobs run, over all functions. */
  running = 0;
  /** The counts of functions that were dropped since, so that a sum over all functions never falls. */
  readonly droppedStats = new FunctionStats();
  /** The functions with waiting jobs, by priority. */
  readonly ready = [new FunctionMask(), new FunctionMask(), new FunctionMask()] as const;

  /** Functions to which something happened: to their jobs, their workers, or what is set for them. */
  readonly touched = new Touched<GearmanFunction>();

  /** The queue limits and the window that a new function begins with. */
  private readonly limits: readonly [number, number, number];
  private readonly window: number;

  private readonly packing: Packing;

  constructor(
    { maxQueue, window, packing }: Pick<Required<EngineOptions>, 'maxQueue' | 'window' | 'packing'>,
    private readonly table: JobTable,
  ) {
    this.limits = maxQueue;
    this.window = window;
    this.packing = packing;
  }

  get size(): number {
    return this.byName.size;
  }

  find(name: ByteString): GearmanFunction | undefined {
    return this.byName.get(name);
  }

  /** The function of a number that stands in one of the masks. */
  at(number: number): GearmanFunction {
    return this.byNumber[number]!;
  }

  create(name: ByteString): GearmanFunction {
    const number = this.freeNumbers.pop() ?? this.byNumber.length;
    const function_ = new GearmanFunction(name, number, this.limits, this.window);
    this.applySettings(function_);
    this.byNumber[number] = function_;
    this.byName.set(name, function_);
    return function_;
  }

  /** Applies to a function what is set for its name. */
  applySettings(function_: GearmanFunction): void {
    const { isPaused, limits } = this.settings.of(function_.name);
    function_.isPaused = isPaused;
    function_.limits = limits ?? this.limits;
    this.touched.add(function_);
    this.markReady(function_);
  }

  /** Forgets a function that has neither workers nor jobs. */
  delete(function_: GearmanFunction): void {
    this.byName.delete(function_.name);
    if (function_.hasStats) this.droppedStats.addAll(function_.stats);
    this.byNumber[function_.number] = undefined;
    this.freeNumbers.push(function_.number);
    this.touched.add(function_);
  }

  /** Adds a job that is younger than all that wait. */
  push(job: Job): void {
    const queue = job.function_.queues[job.priority];
    queue.push(job);
    this.table.pack(queue, this.packing);
    this.markReady(job.function_);
    this.touched.add(job.function_);
  }

  /** Puts a job back in its old place. */
  insert(job: Job): void {
    job.function_.queues[job.priority].insert(job);
    this.markReady(job.function_);
    this.touched.add(job.function_);
  }

  /** Takes a waiting job out of its queue. */
  remove(job: Job): void {
    const queue = job.function_.queues[job.priority];
    if (job.pack) this.table.open(job);
    queue.remove(job);
    if (queue.length === 0) this.ready[job.priority].delete(job.function_.number);
    this.touched.add(job.function_);
  }

  /** Brings a function's bits in {@link ready} in line with its queues; a paused function has none. */
  markReady(function_: GearmanFunction): void {
    for (const priority of PRIORITIES) {
      if (!function_.isPaused && function_.queues[priority].length > 0) this.ready[priority].add(function_.number);
      else this.ready[priority].delete(function_.number);
    }
  }

  [Symbol.iterator](): Iterator<GearmanFunction> {
    return this.byName.values();
  }
}
