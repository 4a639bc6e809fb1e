import type { Chore } from './chores.js';
import type { Dispatcher } from './dispatcher.js';
import type { Functions } from './functions.js';
import type { JobLife } from './job-life.js';
import type { EngineListener } from './listener.js';
import type { Ability, GearmanFunction, Job, Peer } from './model.js';

/** A worker's `missingPlaces` may be so much longer than twice its functions before those given up are taken out. */
const FEW_PLACES = 32;

/** The shortest time a worker may allow its jobs, in milliseconds; gearmand rounds up to it. */
const MIN_JOB_TIMEOUT = 1_000;

/**
 * What workers say they can do (CAN_DO, CANT_DO, RESET_ABILITIES). A function
 * knows its workers and has a place for each in its rotation; a worker knows its
 * functions. From the moment that a worker gives a function up it is given no job
 * of it, however long it takes until the function has forgotten the worker.
 */
export class Abilities {
  private readonly dispatcher: Dispatcher;

  constructor(
    private readonly functions: Functions,
    private readonly life: JobLife,
    private readonly listener: EngineListener,
  ) {
    this.dispatcher = life.dispatcher;
  }

  /** A worker does a function from now on; `timeout` in milliseconds, 0: none. */
  add(worker: Peer, function_: GearmanFunction, timeout: number): void {
    const limit = timeout > 0 ? Math.max(timeout, MIN_JOB_TIMEOUT) : 0;
    const known = worker.abilities.get(function_);
    if (known) {
      known.timeout = limit;
      return;
    }
    const place = {
      worker,
      rotation: function_.rotation,
      isGivenUp: false,
      isQueued: false,
      previous: undefined,
      next: undefined,
    };
    worker.abilities.set(function_, { timeout: limit, registered: ++worker.registrations, place });
    worker.mask.add(function_.number);
    worker.missingPlaces.push(place);
    function_.workers.add(worker);
    this.functions.touched.add(function_);
    if (worker.abilities.size === 1) this.listener.workerChanged?.(worker);
    this.dispatcher.findWork(worker);
    this.dispatcher.refill(function_);
  }

  /**
   * A worker no longer does a function: the jobs of it that the worker runs wait again, unless it
   * is pushed to (ALL_YOURS).
   */
  giveUp(worker: Peer, function_: GearmanFunction): void {
    this.drop(worker, function_);
    if (worker.abilities.size === 0) this.listener.workerChanged?.(worker);
    this.afterGivingUp(worker, (job) => job.function_ === function_);
    this.dispatcher.noticeIdle(function_);
  }

  /** A worker no longer does anything; otherwise as {@link giveUp}. */
  giveUpAll(worker: Peer): void {
    const { abilities } = worker;
    if (abilities.size > 0) {
      this.clear(worker);
      this.dispatcher.withdraw(worker, worker.wokenFor);
      this.life.chores.begin(this.forgetting(worker, abilities));
    }
    this.afterGivingUp(worker, () => true);
  }

  private drop(worker: Peer, function_: GearmanFunction): void {
    const { place } = worker.abilities.get(function_)!;
    place.isGivenUp = true;
    function_.rotation.unlink(place);
    worker.abilities.delete(function_);
    // Not one by one: a worker may give 50,000 functions up.
    if (worker.missingPlaces.length > 2 * worker.abilities.size + FEW_PLACES)
      worker.missingPlaces = worker.missingPlaces.filter(({ isGivenUp }) => !isGivenUp);
    worker.mask.delete(function_.number);
    function_.workers.delete(worker);
    this.functions.touched.add(function_);
    this.dispatcher.withdraw(worker, function_);
  }

  /** From now on a worker is given no job of any function; the functions forget it by {@link forgetting}. */
  clear(worker: Peer): void {
    for (const { place } of worker.abilities.values()) place.isGivenUp = true;
    worker.abilities = new Map();
    worker.missingPlaces = [];
    worker.mask.clear();
    this.listener.workerChanged?.(worker);
  }

  /** Functions forget a worker that no longer does them, one by one: there may be 50,000. */
  *forgetting(worker: Peer, abilities: ReadonlyMap<GearmanFunction, Ability>): Chore {
    for (const [function_, { place }] of abilities) {
      function_.rotation.unlink(place);
      // The worker may have registered the function anew meanwhile.
      if (!worker.abilities.has(function_)) function_.workers.delete(worker);
      this.functions.touched.add(function_);
      this.dispatcher.noticeIdle(function_);
      yield;
    }
  }

  private afterGivingUp(worker: Peer, isAffected: (job: Job) => boolean): void {
    if (!worker.isPushed && worker.running.size > 0) {
      this.life.chores.begin(this.life.requeueAll([...worker.running].filter(isAffected), worker));
    }
    if (worker.abilities.size > 0) return this.dispatcher.findWork(worker);
    for (let kept = worker.keptGrabs.length; kept > 0; kept--) worker.listener.noJob();
    worker.keptGrabs.length = 0;
  }
}
