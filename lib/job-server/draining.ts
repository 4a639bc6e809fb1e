import { checkNames, checkOption, MAX_TIMER_DELAY, oneOf, type OptionRule } from '../ground/index.js';
import type { ByteString, Engine, Job } from './engine/index.js';

/** How a job server ends. */
export interface StopOptions {
  /**
   * How long jobs may take to finish, in milliseconds; `Infinity` for ever.
   * Meanwhile no connection and no job is accepted. Default 0: it ends at once.
   */
  gracePeriod?: number;
  /**
   * Which jobs may finish: `running`, those that workers have; or `all`, also
   * those that wait, unless a storage keeps them for the next start. Default
   * `running`.
   */
  finish?: 'running' | 'all';
}

const GRACE_PERIOD: OptionRule = {
  test: (value) => value === Infinity || ((value as number) >= 0 && (value as number) <= MAX_TIMER_DELAY),
  allowed: `a number of milliseconds from 0 to ${MAX_TIMER_DELAY}, or Infinity`,
};

/** @throws InvalidOptionError */
export function validateStopOptions(options: StopOptions): void {
  checkNames(options, ['gracePeriod', 'finish'], 'option of the end');
  const { gracePeriod, finish } = options;
  checkOption('gracePeriod', gracePeriod, GRACE_PERIOD);
  checkOption('finish', finish, oneOf('running', 'all'));
}

/** The time a job server has to finish its jobs before it ends. */
export class Draining {
  /** Resolves when the jobs are finished, or time is up. */
  readonly over: Promise<void>;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout | undefined;
  /** The handle of a job that the end must wait for; while it must, no other one is looked for. */
  private obstacle: ByteString = '';

  constructor(
    private readonly engine: Engine,
    private readonly finish: 'running' | 'all',
    gracePeriod: number,
  ) {
    this.over = new Promise((resolve) => (this.resolve = resolve));
    if (finish === 'running') engine.halt();
    if (gracePeriod !== Infinity) this.timer = setTimeout(() => this.end(), gracePeriod);
    this.look();
  }

  /** Looks whether the jobs are finished; called whenever one ended or lost its worker. */
  look(): void {
    if (!this.isBlocked()) this.end();
  }

  /** Time is up. */
  end(): void {
    clearTimeout(this.timer);
    this.resolve();
  }

  private isBlocked(): boolean {
    if (this.finish === 'running') return this.engine.runningCount > 0;
    const { engine } = this;
    if (engine.runningCount > 0 || isLost(engine.find(this.obstacle))) return true;
    for (const job of engine.jobs()) {
      if (!isLost(job)) continue;
      this.obstacle = engine.handleOf(job);
      return true;
    }
    return false;
  }
}

/** True for a job that would be lost if the job server ended now. */
function isLost(job: Job | undefined): boolean {
  return job !== undefined && job.state !== 'ended' && !job.isAbandoned && !job.isStored;
}
