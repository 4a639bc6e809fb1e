import assert from 'node:assert/strict';
import {
  PRIORITIES,
  type Engine,
  type GearmanFunction,
  type Job,
  type Peer,
} from '../../../../../lib/job-server/engine/index.js';
import type { Reference } from './reference.js';

/** Fails unless the engine holds what the reference holds, and nobody waits in vain. */
export function expectAgreement(engine: Engine, peers: readonly Peer[], reference: Reference): void {
  expectSameJobs(engine, peers, reference);
  for (const function_ of engine.functions) {
    expectSameFunction(engine, function_, peers, reference);
    expectNobodyWaitsInVain(function_, peers, reference);
  }
  for (const [index, peer] of peers.entries()) expectSamePeer(engine, peer, index, reference);
}

function expectSameJobs(engine: Engine, peers: readonly Peer[], reference: Reference): void {
  const inEngine = Array.from(engine.jobs(), (job) => engine.handleOf(job)).sort();
  assert.deepEqual(inEngine, reference.jobs.map(({ label }) => label).sort());
  assert.equal(engine.jobCount, inEngine.length);
  for (const expected of reference.jobs) {
    const job = engine.find(expected.label)!;
    assert.deepEqual(viewOf(job, peers), {
      state: expected.state,
      losses: expected.losses,
      attempts: expected.attempts,
      isBackground: expected.isBackground,
      isCancelled: expected.isCancelled,
      clients: expected.clients.length,
      late: expected.late?.index,
    });
  }
}

function viewOf(job: Job, peers: readonly Peer[]): object {
  const { state, losses, attempts, isBackground, isCancelled } = job;
  const clients = job.clients?.length ?? 0;
  const late = job.lateWorker && peers.indexOf(job.lateWorker);
  return { state, losses, attempts, isBackground, isCancelled, clients, late };
}

function expectSameFunction(
  engine: Engine,
  function_: GearmanFunction,
  peers: readonly Peer[],
  reference: Reference,
): void {
  const { name } = function_;
  const own = reference.jobs.filter((job) => job.name === name);
  assert.equal(function_.total, own.length);
  assert.equal(function_.running, own.filter(({ state }) => state === 'running').length);
  assert.equal(function_.workers.size, peers.filter((peer) => peer.abilities.has(function_)).length);
  for (const priority of PRIORITIES) {
    const queue = [...function_.queues[priority]].map((job) => engine.handleOf(job));
    const waiting = reference.waiting(name).filter((job) => job.priority === priority);
    assert.deepEqual(
      queue,
      waiting.map(({ label }) => label),
    );
    assert.equal(function_.queues[priority].length, queue.length);
    const delayed = own.filter((job) => job.state === 'delayed' && job.priority === priority);
    assert.equal(function_.delayed[priority], delayed.length);
  }
  assert.equal(function_.woken, peers.filter(({ wokenFor }) => wokenFor === function_).length);
  assert.equal(function_.uniques.size, own.filter(({ key }) => key !== '').length);
}

/** Unless enough others were woken for its jobs, or it can take none. */
function expectNobodyWaitsInVain(function_: GearmanFunction, peers: readonly Peer[], reference: Reference): void {
  const { wakeupsPerJob } = reference.rules;
  const isServed = wakeupsPerJob > 0 && function_.woken >= function_.waiting * wakeupsPerJob;
  if (reference.isHalted || function_.isPaused || function_.waiting === 0 || isServed) return;
  const idle = peers.filter(
    (peer, index) => peer.isAvailable && peer.abilities.has(function_) && !reference.isFull(reference.peers[index]!),
  );
  assert.equal(idle.length, 0);
}

function expectSamePeer(engine: Engine, peer: Peer, index: number, reference: Reference): void {
  const expected = reference.peers[index]!;
  assert.deepEqual(
    [...peer.abilities.keys()].map(({ name }) => name),
    expected.abilities.map(({ name }) => name),
  );
  for (const { name } of expected.abilities) assert.equal(peer.mask.has(engine.functions.find(name)!.number), true);
  const labels = (jobs: Iterable<Job>): string[] => Array.from(jobs, (job) => engine.handleOf(job)).sort();
  assert.deepEqual(
    labels(peer.running),
    reference
      .running(expected)
      .map(({ label }) => label)
      .sort(),
  );
  assert.deepEqual(
    labels(peer.late.keys()),
    jobsOf(reference, ({ late }) => late === expected),
  );
  assert.deepEqual(
    labels(peer.waitsFor),
    jobsOf(reference, ({ clients }) => clients.includes(expected)),
  );
  assert.deepEqual(peer.keptGrabs, expected.kept);
  assert.deepEqual([peer.isSleeping, peer.isWoken], [expected.isAsleep, expected.isWoken]);
  assert.equal(peer.wakeTimer === undefined, peer.wokenFor === undefined);
  expectPlaces(peer);
}

function jobsOf(reference: Reference, isOne: (job: Reference['jobs'][number]) => boolean): string[] {
  return reference.jobs
    .filter(isOne)
    .map(({ label }) => label)
    .sort();
}

/** Each place stands in its rotation or is noted as missing there, once; those that were given up may be noted still. */
function expectPlaces(peer: Peer): void {
  const places = [...peer.abilities.values()].map(({ place }) => place);
  const missing = places.filter(({ isQueued }) => !isQueued);
  const noted = peer.missingPlaces.filter(({ isGivenUp }) => !isGivenUp);
  assert.deepEqual(new Set(noted), new Set(missing));
  assert.equal(noted.length, missing.length);
}
