import assert from 'node:assert/strict';
import type { Engine, Peer } from '../../../../../lib/job-server/engine/index.js';
import type { Reference } from './reference.js';

/** The two clocks of a play: what is due on them happens one after the other, and each time engine and reference agree. */
export class PlayTime {
  constructor(
    private readonly engine: Engine,
    private readonly peers: readonly Peer[],
    private readonly reference: Reference,
    private readonly agree: () => void,
  ) {}

  /** How far the clock of dates has to be set ahead for every job's date to have come. */
  get untilLastDate(): number {
    const { jobs, date } = this.reference;
    const dates = jobs.map(({ state, at }) => (state === 'delayed' && at < Infinity ? at : date));
    return Math.ceil(Math.max(date, ...dates) - date);
  }

  pass(milliseconds: number): void {
    const end = Math.floor(this.reference.now) + milliseconds;
    for (let due = this.nextDue(); due <= end; due = this.nextDue()) {
      this.timeIs(due);
      this.agree();
    }
    this.timeIs(end);
  }

  timeIs(now: number): void {
    this.reference.now = now;
    this.reference.awaken();
    assert.ok(this.engine.tick(now, this.reference.date) > now);
    assert.deepEqual(
      this.reference.jobs.filter((job) => this.reference.isDue(job)),
      [],
    );
  }

  /** Sets the clock of dates. On its way forward it stands still wherever a job is due, for one at a time wakes up. */
  setClock(by: number): void {
    const { reference } = this;
    const ahead = reference.ahead + by;
    const next = (): number => Math.min(...reference.jobs.map((job) => (job.state === 'delayed' ? job.at : Infinity)));
    for (let due = next(); due <= reference.now + ahead; due = next()) {
      reference.ahead = due - reference.now;
      this.timeIs(reference.now);
      this.agree();
    }
    reference.ahead = ahead;
    this.timeIs(reference.now);
  }

  /** The engine's next due time, which is when something is due and at no other time. */
  private nextDue(): number {
    const { now, date } = this.reference;
    const next = this.engine.tick(now, date);
    const delayed = this.reference.jobs.filter(({ state, at }) => state === 'delayed' && at < Infinity);
    const dates = delayed.map(({ at }) => now + Math.min(at - date, 1_000));
    const deadlines = this.reference.jobs.map(({ deadline }) => deadline);
    const wakeups = this.peers.map(({ wakeTimer }) => wakeTimer?.at ?? Infinity);
    assert.equal(next, Math.min(Infinity, ...dates, ...deadlines, ...wakeups));
    return next;
  }
}
