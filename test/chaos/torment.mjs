import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerBytes } from './ledger.mjs';

/** Which part of the kills of those that are no job servers is whose. */
const PARTS = { worker: 0.6, client: 0.3, 'http-client': 0.1 };

/** What becomes of the database, by chance: the primary killed, the primary hung, the standby killed. */
const BLOWS = { kill: 0.6, hang: 0.2, standby: 0.2 };

/** The longest time between two blows at the job servers together, at all others together, and at the database, in milliseconds. */
const LONGEST_PEACE = 2_000;

/** How long a job server stalls, in milliseconds: longer than the others wait for it. */
const STALL = 6_000;

/** How much clients and workers write down, in bytes, before the database is struck again: some thirty lines each. */
const USE = 2_000;

/** How often it is looked whether the run is over, and whether there was work, in milliseconds. */
const LOOK = 50;

/**
 * Ends everybody every now and then, and starts them again: each job server on
 * its own, so that one that cannot come back, its database being away, spares
 * none of the others. What was struck has had work before it is struck again;
 * some job servers have not, so that one is killed too that has hardly begun.
 */
export class Torment {
  /**
   * @param scene `{ folder, actors, database, blows, chance, pace, verbose }`; `pace`: how many times as often the job
   * servers and the database are struck, and as seldom the others: what starts all the time has the machine to itself.
   * @param isOver whether nobody is to be struck any more.
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

  /** It is whole again, and has been of use, before the next time. */
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

  /** Waits until clients were answered, and workers ended jobs, some of them since now; answers whether they did. */
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

  /** Waits so long, or until it is over; answers whether it goes on. */
  async #goesOnAfter(time) {
    const end = Date.now() + time;
    while (!this.isOver() && Date.now() < end) await sleep(Math.min(LOOK, end - Date.now()));
    return !this.isOver();
  }

  /** Waits for something, or until it is over; answers whether it goes on. */
  async #comes(promise) {
    let hasCome = false;
    void promise.then(() => (hasCome = true));
    while (!hasCome) if (!(await this.#goesOnAfter(LOOK))) return false;
    return !this.isOver();
  }
}
