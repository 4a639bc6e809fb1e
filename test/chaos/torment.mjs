import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerBytes } from './ledger.mjs';

/** How the kills of all processes but job servers are distributed. */
const PARTS = { worker: 0.6, client: 0.3, 'http-client': 0.1 };

/** What happens to the database: the primary is killed, the primary hangs, the standby is killed. */
const BLOWS = { kill: 0.6, hang: 0.2, standby: 0.2 };

/** The longest time between two blows at the job servers together, at all other processes together, and at the database, in milliseconds. */
const LONGEST_PEACE = 2_000;

/** How long a job server stalls, in milliseconds: longer than the others wait for it. */
const STALL = 6_000;

/** How many bytes clients and workers write down before the database is struck again: some thirty lines each. */
const USE = 2_000;

/** How often it checks whether the run is over, and whether there was work, in milliseconds. */
const LOOK = 50;

/**
 * Ends every process now and then, and starts it again. Each job server has times
 * of its own, so that the others are struck too while one cannot come back because
 * its database is away. A process must have had work before it is struck again;
 * some job servers need not, so that one that has hardly started is killed too.
 */
export class Torment {
  /**
   * @param scene `{ folder, actors, database, blows, chance, pace, verbose }`; `pace` multiplies how often the job servers
   * and the database are struck, and divides how often the others are, because processes that start all the time would use the whole machine.
   * @param isOver whether the run is over.
   */
  constructor(scene, isOver) {
    Object.assign(this, scene);
    this.isOver = isOver;
    this.jobServers = this.actors.filter(({ kind }) => kind === 'job-server');
  }

  /** Resolves when it is over. */
  async run() {
    const all = [...this.jobServers.map((victim) => this.#strikeJobServer(victim)), this.#strikeOthers()];
    if (this.database) all.push(this.#strikeDatabase());
    await Promise.all(all);
  }

  async #strikeJobServer(victim) {
    const peace = (LONGEST_PEACE * this.jobServers.length) / this.pace;
    while (await this.#goesOnAfter(this.chance() * peace)) {
      if (this.chance() < 0.8 && !(await this.#comes(victim.worked))) return;
      if (this.database && this.chance() < 0.05) await this.#stall(victim);
      else await this.#end(victim, this.chance() < 0.2 ? 'SIGTERM' : 'SIGKILL');
    }
  }

  async #strikeOthers() {
    while (await this.#goesOnAfter(this.chance() * LONGEST_PEACE * this.pace)) {
      const victim = this.#pick();
      if (this.chance() < 0.8 && !(await this.#comes(victim.ready))) return;
      await this.#end(victim, 'SIGKILL');
    }
  }

  /** Strikes the database; before the next time it must be whole again, and must have been used. */
  async #strikeDatabase() {
    while (await this.#goesOnAfter((this.chance() * LONGEST_PEACE) / this.pace)) {
      if (!(await this.#isUsed())) return;
      const dice = this.chance();
      const name = dice < BLOWS.kill + BLOWS.hang ? 'primary' : 'standby';
      const signal = dice < BLOWS.kill || name === 'standby' ? 'SIGKILL' : 'SIGSTOP';
      const blow = { kind: 'database', name, signal, time: Date.now() };
      const isOver = this.blows.begin(blow);
      await (name === 'primary' ? this.database.failOver(signal) : this.database.loseStandby());
      isOver();
      if (this.verbose) console.log(`${name} ${signal}: ${blow.over - blow.time} ms`);
    }
  }

  /** Waits until clients were answered and workers ended jobs, some of which began after now; returns whether they did. */
  async #isUsed() {
    const kinds = ['client', 'worker'];
    const before = kinds.map((kind) => ledgerBytes(this.folder, kind));
    while (kinds.some((kind, index) => ledgerBytes(this.folder, kind) < before[index] + USE)) {
      if (!(await this.#goesOnAfter(LOOK))) return false;
    }
    return true;
  }

  #pick() {
    let dice = this.chance();
    const kind = Object.keys(PARTS).find((each) => (dice -= PARTS[each]) < 0) ?? 'worker';
    const candidates = this.actors.filter((actor) => actor.kind === kind);
    return candidates[Math.floor(this.chance() * candidates.length)];
  }

  async #stall(victim) {
    const { kind, name } = victim;
    const isOver = this.blows.begin({ kind, name, signal: 'SIGSTOP', time: Date.now() });
    await victim.stall(STALL);
    isOver();
  }

  async #end(victim, signal) {
    const { kind, name, hasWorked } = victim;
    const time = Date.now();
    await victim.end(signal);
    this.blows.add({ kind, name, signal, hasWorked, time, over: Date.now() });
    victim.start();
  }

  /** Waits so long, or until the run is over; returns whether it goes on. */
  async #goesOnAfter(time) {
    const end = Date.now() + time;
    while (!this.isOver() && Date.now() < end) await sleep(Math.min(LOOK, end - Date.now()));
    return !this.isOver();
  }

  /** Waits for a promise, or until the run is over; returns whether it goes on. */
  async #comes(promise) {
    let hasCome = false;
    void promise.then(() => (hasCome = true));
    while (!hasCome) if (!(await this.#goesOnAfter(LOOK))) return false;
    return !this.isOver();
  }
}
