import { Priority, type Engine, type GearmanFunction, type Refusal } from '../engine/index.js';
import type { Conversation } from './session-host.js';

/** What an admin word answers: a text, or the lines of a list that may be long. */
export type AdminAnswer = string | Iterable<string>;

type AdminWord = (session: Conversation, args: readonly string[]) => AdminAnswer;

const OK = 'OK\r\n';
const END = '.\n';

/**
 * The admin words, with gearmand's exact bytes; docs/SEMANTICS.md lists where
 * it has a bug and ours answers what was meant. Upper or lower case.
 */
const WORDS: Readonly<Record<string, AdminWord>> = {
  status: (session) => list(session.host.engine.functions, statusLine),
  prioritystatus: (session) => list(session.host.engine.functions, priorityStatusLine),
  workers: (session) => list([...session.host.sessions], workerLine),
  version: ({ host }) => `OK ${host.version}\n`,
  getpid: () => `OK ${process.pid}\n`,
  verbose: ({ host }) => `OK ${host.verbosity}\n`,
  show: (session, args) => show(session, args),
  cancel: ({ host }, args) => {
    if (args[0]?.toLowerCase() !== 'job') return unknown('cancel');
    if (args[1] === undefined) return incomplete('cancel');
    return host.engine.cancel(args[1]) ? OK : 'ERR UNKNOWN_JOB\r\n';
  },
  maxqueue: ({ host }, args) => maxQueue(host.engine, args),
  create: ({ host }, args) => ofFunction('create', args, (name) => host.engine.createFunction(name)),
  drop: ({ host }, args) => ofFunction('drop', args, (name) => host.engine.dropFunction(name)),
  shutdown: ({ host }, args) => {
    if (!host.shutdown) return unknown('shutdown');
    host.shutdown(args[0]?.toLowerCase() === 'graceful');
    return OK;
  },
};

/** Answers one admin line. */
export function answerAdmin(session: Conversation, line: string): AdminAnswer {
  const [word = '', ...args] = line.trim().split(/[ \t]+/);
  return (WORDS[word.toLowerCase()] ?? (() => unknown(word)))(session, args);
}

function* list<Item>(items: Iterable<Item>, lineOf: (item: Item) => string): Iterable<string> {
  for (const item of items) yield lineOf(item);
  yield END;
}

function statusLine({ name, total, running, workers }: GearmanFunction): string {
  return `${name}\t${total}\t${running}\t${workers.size}\n`;
}

function priorityStatusLine(function_: GearmanFunction): string {
  const [high, normal, low] = [Priority.high, Priority.normal, Priority.low].map((level) => function_.queued(level));
  return `${function_.name}\t${high}\t${normal}\t${low}\t${function_.workers.size}\n`;
}

function workerLine({ number, info, peer }: Conversation): string {
  const names = [...peer.abilities.keys()].map(({ name }) => ` ${name}`).join('');
  return `${number} ${info.address} ${peer.clientId} :${names}\n`;
}

function show({ host: { engine } }: Conversation, [what, which]: readonly string[]): AdminAnswer {
  const isJobs = what?.toLowerCase() === 'jobs';
  const isUniques = what?.toLowerCase() === 'unique' && which?.toLowerCase() === 'jobs';
  if (isUniques) return list(engine.jobs(), (job) => (job.unique === '' ? '' : `${job.unique}\n`));
  if (!isJobs) return 'ERR UNKNOWN_SHOW_ARGUMENTS\r\n';
  return list(engine.jobs(), (job) => {
    const isQueued = job.state !== 'running' && !job.isAbandoned;
    return `${engine.handleOf(job)}\t${job.losses}\t${Number(job.isAbandoned)}\t${Number(isQueued)}\n`;
  });
}

function maxQueue(engine: Engine, [name, ...sizes]: readonly string[]): string {
  if (name === undefined || (sizes.length !== 0 && sizes.length !== 1 && sizes.length !== 3))
    return incomplete('maxqueue');
  const limits = sizes.map((size) => Math.max(0, Number.parseInt(size, 10) || 0));
  const [high = 0, normal = high, low = high] = limits;
  engine.limitQueue(name, [high, normal, low]);
  return OK;
}

function ofFunction(word: string, [kind, name]: readonly string[], act: (name: string) => Refusal | undefined): string {
  if (kind?.toLowerCase() !== 'function') return unknown(word);
  if (name === undefined) return incomplete(word);
  const refusal = act(name);
  return refusal ? `ERR ${refusal.text}\r\n` : OK;
}

function unknown(word: string): string {
  return `ERR UNKNOWN_COMMAND Unknown+server+command${word}\r\n`;
}

function incomplete(word: string): string {
  return `ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+${word}\r\n`;
}
