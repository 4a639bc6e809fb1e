import {
  readName,
  showName,
  showRow,
  JOB_ROW,
  PRIORITY_STATUS_ROW,
  STATUS_ROW,
  writeDeadJobRow,
  writeWorkerRow,
} from '../../protocol/index.js';
import { Priority, type Engine, type GearmanFunction, type Job, type Refusal } from '../engine/index.js';
import { END, incomplete, OK } from './admin-answers.js';
import { batches, type AdminAnswer } from './admin-output.js';
import { deadLetterLine } from './dead-letter-line.js';
import { activityLine, functionLine, jobLines } from './function-lines.js';
import { ofSchedule, showSchedules, type ScheduleWord } from './schedule-words.js';
import type { Conversation, DeadLetters, SessionHost } from './session-host.js';

type AdminWord = (session: Conversation, args: readonly string[], line: string) => AdminAnswer;

const UNKNOWN_JOB = 'ERR UNKNOWN_JOB\r\n';
/** The answer to words about dead letters where no job is kept. */
const NO_STORAGE = 'ERR NO_STORAGE Dead+letters+need+a+job+server+with+a+storage\r\n';

/**
 * The admin words, with gearmand's exact bytes; docs/SEMANTICS.md lists where
 * it has a bug and ours answers what was meant. A word may be in upper or lower
 * case. Names that peers chose are shown so that they forge no line, and are
 * read as they are shown.
 */
const WORDS: Readonly<Record<string, AdminWord>> = {
  status: (session) => list(session.host.engine.functions, statusLine),
  prioritystatus: (session) => list(session.host.engine.functions, priorityStatusLine),
  workers: (session) => workers([...session.host.sessions]),
  version: ({ host }) => `OK ${host.version}\n`,
  getpid: () => `OK ${process.pid}\n`,
  verbose: ({ host }) => `OK ${host.verbosity}\n`,
  show: (session, args) => show(session, args),
  cancel: ({ host }, args) => {
    if (args[0]?.toLowerCase() !== 'job' || args[1] === undefined) return unknown('cancel');
    return cancel(host, readName(args[1]));
  },
  replay: ({ host }, args) => ofDeadLetter('replay', args, host.deadLetters?.replay.bind(host.deadLetters)),
  purge: ({ host }, args) => ofDeadLetter('purge', args, host.deadLetters?.purge.bind(host.deadLetters)),
  maxqueue: ({ host }, args) => maxQueue(host.engine, args),
  create: ({ host }, args) => ofFunction('create', args, (name) => host.engine.createFunction(name)),
  drop: ofFunctionOrSchedule('drop', (engine, name) => engine.dropFunction(name)),
  pause: ofFunctionOrSchedule('pause', (engine, name) => engine.pause(name)),
  resume: ofFunctionOrSchedule('resume', (engine, name) => engine.resume(name)),
  put: scheduleWord('put'),
  run: scheduleWord('run'),
  shutdown: ({ host }, args) => {
    if (!host.shutdown) return unknown('shutdown');
    host.shutdown(args[0]?.toLowerCase() === 'graceful');
    return OK;
  },
};

/** Every admin word, in lower case. */
export const ADMIN_WORDS: readonly string[] = Object.keys(WORDS);

/** Answers one admin line. */
export function answerAdmin(session: Conversation, line: string): AdminAnswer {
  const [word = '', ...args] = line.split(/[ \t\r]+/);
  // The empty text behind a blank at the end of the line.
  if (args.at(-1) === '') args.pop();
  const name = word.toLowerCase();
  // Not what every object has: `constructor` is no word.
  return Object.hasOwn(WORDS, name) ? WORDS[name]!(session, args, line) : unknown(word);
}

/** A word that is for functions and for schedules. */
function ofFunctionOrSchedule(
  word: 'drop' | 'pause' | 'resume',
  act: (engine: Engine, name: string) => Refusal | undefined,
): AdminWord {
  return (session, args, line) =>
    isOfSchedule(args)
      ? ofSchedule(session, word, line)
      : ofFunction(word, args, (name) => act(session.host.engine, name));
}

/** A word that is for schedules alone. */
function scheduleWord(word: ScheduleWord): AdminWord {
  return (session, args, line) => (isOfSchedule(args) ? ofSchedule(session, word, line) : unknown(word));
}

function isOfSchedule([what]: readonly string[]): boolean {
  return what?.toLowerCase() === 'schedule';
}

function* list<Item>(items: Iterable<Item>, lineOf: (item: Item) => string): Iterable<string> {
  yield* mapped(items, lineOf);
  yield END;
}

function statusLine({ name, total, running, workers }: GearmanFunction): string {
  return STATUS_ROW.write(name, { total, running, workers: workers.size });
}

function priorityStatusLine(function_: GearmanFunction): string {
  const high = function_.queued(Priority.high);
  const normal = function_.queued(Priority.normal);
  const low = function_.queued(Priority.low);
  return PRIORITY_STATUS_ROW.write(function_.name, { high, normal, low, workers: function_.workers.size });
}

function* workers(sessions: readonly Conversation[]): Iterable<string> {
  for (const { number, info, peer } of sessions) {
    yield* writeWorkerRow({ number, address: info.address, clientId: peer.clientId }, peer.abilities.keys());
  }
  yield END;
}

function show({ host }: Conversation, args: readonly string[]): AdminAnswer {
  const [what, which, handle] = args;
  if (handle !== undefined && `${what} ${which}`.toLowerCase() === 'dead job') {
    return host.deadLetters ? deadJob(host.deadLetters, handle) : NO_STORAGE;
  }
  if (handle !== undefined && `${what} ${which}`.toLowerCase() === 'jobs of') return jobsOf(host.engine, handle);
  switch (args.join(' ').toLowerCase()) {
    case '':
      return unknown('show');
    case 'jobs':
      return showJobs(host, jobLine);
    case 'unique jobs':
      return showJobs(host, ({ unique }) => `${showRow(unique)}\n`);
    case 'functions':
      return list(host.engine.functions, functionLine);
    case 'activity':
      return list(host.engine.functions, (function_) => activityLine(host.engine, function_));
    case 'schedules':
      return showSchedules(host);
    case 'dead jobs':
      return host.deadLetters ? deadJobs(host.deadLetters) : NO_STORAGE;
    default:
      return 'ERR UNKNOWN_SHOW_ARGUMENTS\r\n';
  }
}

/** `show jobs of FUNCTION`, an extension of ours. */
function* jobsOf(engine: Engine, name: string): Iterable<string> {
  const function_ = engine.functions.find(readName(name));
  if (function_) yield* jobLines(engine, function_);
  yield END;
}

function jobLine({ handle, losses, isIgnored, isBackground }: ShownJob): string {
  return JOB_ROW.write(handle, { losses, isIgnored: Number(isIgnored), isQueued: Number(isBackground) });
}

interface ShownJob {
  readonly handle: string;
  readonly unique: string;
  readonly losses: number;
  readonly isIgnored: boolean;
  readonly isBackground: boolean;
}

/** The jobs in memory, then those that wait in storage only. */
function showJobs(host: SessionHost, lineOf: (job: ShownJob) => string): AdminAnswer {
  const inMemory = (job: Job): string => {
    const handle = host.engine.handleOf(job);
    const { unique, losses, isBackground } = job;
    return lineOf({ handle, unique, losses, isIgnored: job.isAbandoned || job.isCancelled, isBackground });
  };
  if (!host.storedJobs) return list(host.engine.jobs(), inMemory);
  return chain(mapped(host.engine.jobs(), inMemory), host.storedJobs.lines(), (stored) =>
    lineOf({ ...stored, isIgnored: false, isBackground: true }),
  );
}

function* mapped<Item>(items: Iterable<Item>, lineOf: (item: Item) => string): Iterable<string> {
  for (const item of items) yield lineOf(item);
}

async function* chain<Item>(
  first: Iterable<string>,
  pages: AsyncIterable<readonly Item[]>,
  lineOf: (item: Item) => string,
): AsyncIterable<string> {
  yield* batches(first);
  for await (const page of pages) yield page.map(lineOf).join('');
  yield END;
}

/** `show dead jobs`, an extension of ours. */
async function* deadJobs(deadLetters: DeadLetters): AsyncIterable<string> {
  for await (const page of deadLetters.lines()) yield page.map(writeDeadJobRow).join('');
  yield END;
}

/** `show dead job HANDLE`, an extension of ours. */
async function deadJob(deadLetters: DeadLetters, handle: string): Promise<string> {
  const letter = await deadLetters.find(readName(handle));
  return letter ? deadLetterLine(letter) : UNKNOWN_JOB;
}

/** `replay job HANDLE` and `purge job HANDLE`, extensions of ours. */
function ofDeadLetter(
  word: string,
  [what, handle]: readonly string[],
  act: ((handle: string) => Promise<boolean>) | undefined,
): AdminAnswer {
  if (what?.toLowerCase() !== 'job') return unknown(word);
  if (handle === undefined) return incomplete(word);
  return act ? act(readName(handle)).then((isDone) => (isDone ? OK : UNKNOWN_JOB)) : NO_STORAGE;
}

function cancel(host: SessionHost, handle: string): AdminAnswer {
  const isCancelled = host.cancel(handle);
  if (typeof isCancelled === 'boolean') return isCancelled ? OK : UNKNOWN_JOB;
  return isCancelled.then((is) => (is ? OK : UNKNOWN_JOB));
}

function maxQueue(engine: Engine, [name, ...sizes]: readonly string[]): string {
  if (name === undefined || (sizes.length !== 0 && sizes.length !== 1 && sizes.length !== 3))
    return incomplete('maxqueue');
  const limits = sizes.map((size) => Math.max(0, Number.parseInt(size, 10) || 0));
  const [high = 0, normal = high, low = high] = limits;
  return okUnless(engine.limitQueue(readName(name), [high, normal, low]));
}

function ofFunction(word: string, [kind, name]: readonly string[], act: (name: string) => Refusal | undefined): string {
  if (kind?.toLowerCase() !== 'function' || name === undefined) return incomplete(word);
  return okUnless(act(readName(name)));
}

function okUnless(refusal: Refusal | undefined): string {
  return refusal ? `ERR ${refusal.text}\r\n` : OK;
}

function unknown(word: string): string {
  return `ERR UNKNOWN_COMMAND Unknown+server+command${showName(word)}\r\n`;
}
