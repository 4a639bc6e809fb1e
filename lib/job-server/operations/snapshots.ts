import { fromByteString, PRIORITY_NAMES } from '../../protocol/index.js';
import { wireUnique, type DeadLetterLine } from '../durable/index.js';
import { elapsed, Priority, type Engine, type GearmanFunction, type Job, type JobState } from '../engine/index.js';
import type { Session } from '../front/index.js';
import { readySince, type StoredJob } from '../storage/index.js';

/** A function at one moment. */
export interface FunctionSnapshot {
  name: string;
  /** Every job of it: waiting, delayed, stored and running. */
  total: number;
  running: number;
  /** Jobs that wait for a worker, by priority. */
  queued: { high: number; normal: number; low: number };
  /** Jobs that wait for their time: scheduled ones, and those that are to be tried again later. */
  delayed: number;
  /** The most jobs a submission may find, by priority; 0: no limit. */
  limits: { high: number; normal: number; low: number };
  /** How many connections registered it. */
  workers: number;
  isPaused: boolean;
}

/** A connection that registered functions, at one moment. */
export interface WorkerSnapshot {
  /** The connection's number, as the admin word `workers` tells it. */
  id: number;
  clientId: string;
  address: string;
  functions: string[];
  /** How many jobs it runs. */
  running: number;
  /** How many jobs it has ended. */
  done: number;
  connectedSince: Date;
  /** It gets no more jobs until it is quiet no longer. */
  isQuiet: boolean;
}

/** A job at one moment. */
export interface JobSnapshot {
  handle: string;
  function: string;
  unique: string;
  priority: 'high' | 'normal' | 'low';
  state: JobState;
  isBackground: boolean;
  /** How many foreground submissions wait for it. */
  clients: number;
  /** How often its worker was lost. */
  losses: number;
  /** How often a policy has let it run again. */
  attempts: number;
  /** How long its workload is, in bytes. */
  size: number;
  /** When a worker could first take it; undefined where that is not known, and of a delayed one. */
  readyAt: Date | undefined;
  /** When its worker was given it; undefined unless it runs. */
  startedAt: Date | undefined;
  /** What the worker that runs it calls itself; undefined unless it runs. */
  worker: string | undefined;
  /** Progress as the worker last reported it. */
  numerator: number;
  denominator: number;
}

export function functionSnapshot(function_: GearmanFunction): FunctionSnapshot {
  const [high, normal, low] = function_.limits;
  return {
    name: fromByteString(function_.name),
    total: function_.total,
    running: function_.running,
    queued: {
      high: function_.due(Priority.high),
      normal: function_.due(Priority.normal),
      low: function_.due(Priority.low),
    },
    delayed: function_.delayedTotal,
    limits: { high, normal, low },
    workers: function_.workers.size,
    isPaused: function_.isPaused,
  };
}

export function workerSnapshot({ number, peer, info, connectedSince }: Session): WorkerSnapshot {
  return {
    id: number,
    clientId: fromByteString(peer.clientId),
    address: info.address,
    functions: [...peer.abilities.keys()].map(({ name }) => fromByteString(name)),
    running: peer.running.size,
    done: peer.done,
    connectedSince: new Date(connectedSince),
    isQuiet: peer.isQuiet,
  };
}

export function jobSnapshot(engine: Engine, job: Job): JobSnapshot {
  return {
    handle: fromByteString(engine.handleOf(job)),
    function: fromByteString(job.function_.name),
    unique: fromByteString(job.unique),
    priority: PRIORITY_NAMES[job.priority],
    state: job.state,
    isBackground: job.isBackground,
    clients: job.clients?.length ?? 0,
    losses: job.losses,
    attempts: job.attempts,
    size: job.workload.length,
    readyAt: job.state === 'delayed' ? undefined : dateOf(job.readySince, engine),
    startedAt: job.state === 'running' ? dateOf(job.since, engine) : undefined,
    worker: job.worker && fromByteString(job.worker.clientId),
    numerator: Number(job.numerator) || 0,
    denominator: Number(job.denominator) || 0,
  };
}

/** The date of a moment that a job keeps as a short time. */
function dateOf(since: number, engine: Engine): Date {
  return new Date(Date.now() - elapsed(since, engine.now));
}

/** A background job that waits in storage only. */
export function storedJobSnapshot(job: StoredJob): JobSnapshot {
  const state = job.at > Date.now() ? 'delayed' : 'waiting';
  const since = readySince(job);
  return {
    handle: fromByteString(job.handle),
    function: fromByteString(job.function),
    unique: fromByteString(wireUnique(job.unique)),
    priority: PRIORITY_NAMES[job.priority],
    state,
    isBackground: true,
    clients: 0,
    losses: job.losses,
    attempts: job.attempts,
    size: job.workload.length,
    readyAt: state === 'delayed' || since === undefined ? undefined : new Date(since),
    startedAt: undefined,
    worker: undefined,
    numerator: 0,
    denominator: 0,
  };
}

/** A background job that failed for good. */
export interface DeadLetterSnapshot {
  handle: string;
  function: string;
  unique: string;
  /** How often it was tried again. */
  attempts: number;
  /** How often its worker was lost. */
  losses: number;
  /** Why it failed the last time. */
  error: string;
  diedAt: Date;
}

export function deadLetterSnapshot(letter: DeadLetterLine): DeadLetterSnapshot {
  const { handle, function: name, unique, attempts, losses, error, diedAt } = letter;
  return {
    handle: fromByteString(handle),
    function: fromByteString(name),
    unique: fromByteString(unique),
    attempts,
    losses,
    error,
    diedAt: new Date(diedAt),
  };
}
