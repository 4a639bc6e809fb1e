import { MAX_FUNCTION_BYTES } from '../../ground/index.js';
import {
  MAX_METADATA_BYTES,
  METADATA_PREFIX,
  PacketType,
  type Argument,
  type ByteString,
  type Packet,
  FOLLOW,
  HEARTBEAT,
  OPTION,
  WITHDRAW,
  LAST_PACKET_TYPE,
} from '../../protocol/index.js';
import {
  JOB_NOT_FOUND,
  Priority,
  Refusal,
  type GrabKind,
  type Job,
  type JobSpec,
  type Workload,
} from '../engine/index.js';
import { Answer, queueError, type StoredState, type Submitted } from '../durable/index.js';
import { beforeNul, clientIdOf, onlyArgument } from './argument.js';
import type { Replies } from './reply-order.js';
import { nextScheduled } from './schedule.js';
import type { Conversation } from './session-host.js';

/** What a packet does; the refusal it returns is answered with an ERROR packet. */
export type Command = (session: Conversation, packet: Packet) => Refusal | undefined;

const UNKNOWN_OPTION = new Refusal('UNKNOWN_OPTION', 'Server does not recognize given option');
const NO_SUCH_TIME = new Refusal('INVALID_ARGUMENT', 'No time matches these fields; give numbers, * or nothing');
const BAD_EPOCH = new Refusal('INVALID_ARGUMENT', 'The epoch is a number of seconds since 1970');
const BAD_TIMEOUT = new Refusal('INVALID_ARGUMENT', 'The timeout is a number of milliseconds');
const LONG_METADATA = new Refusal('INVALID_ARGUMENT', `Metadata has at most ${MAX_METADATA_BYTES} bytes`);
const NOT_HERE = new Refusal('JOB_NOT_FOUND', 'No background job with this handle is here');
const LOST_EXCEPTION = new Refusal(JOB_NOT_FOUND.code, 'An exception was received for a job that does not exist');
const LOST_UPDATE = new Refusal(JOB_NOT_FOUND.code, 'Job does not exist on server');

/** Every packet a peer may send to a job server, by its number. */
export const COMMANDS: readonly (Command | undefined)[] = commandsByNumber({
  [PacketType.CAN_DO]: (session, packet) => canDo(session, onlyArgument(packet), 0),
  [PacketType.CAN_DO_TIMEOUT]: (session, packet) => {
    const timeout = Number(packet.byteString(1));
    return Number.isFinite(timeout) ? canDo(session, packet.byteString(0), timeout) : BAD_TIMEOUT;
  },
  [PacketType.CANT_DO]: ({ host, peer }, packet) => {
    host.engine.cantDo(peer, onlyArgument(packet));
    return undefined;
  },
  [PacketType.RESET_ABILITIES]: ({ host, peer }) => {
    host.engine.resetAbilities(peer);
    return undefined;
  },
  [PacketType.ALL_YOURS]: ({ host, peer }) => {
    host.engine.allYours(peer);
    return undefined;
  },
  [PacketType.PRE_SLEEP]: ({ host, peer }) => {
    host.engine.sleep(peer);
    return undefined;
  },
  [PacketType.SET_CLIENT_ID]: ({ peer }, packet) => {
    peer.clientId = clientIdOf(packet);
    return undefined;
  },
  [PacketType.GRAB_JOB]: grab('plain'),
  [PacketType.GRAB_JOB_UNIQ]: grab('unique'),
  [PacketType.GRAB_JOB_ALL]: grab('all'),
  [PacketType.SUBMIT_JOB]: submission(Priority.normal, false),
  [PacketType.SUBMIT_JOB_BG]: submission(Priority.normal, true),
  [PacketType.SUBMIT_JOB_HIGH]: submission(Priority.high, false),
  [PacketType.SUBMIT_JOB_HIGH_BG]: submission(Priority.high, true),
  [PacketType.SUBMIT_JOB_LOW]: submission(Priority.low, false),
  [PacketType.SUBMIT_JOB_LOW_BG]: submission(Priority.low, true),
  [PacketType.SUBMIT_REDUCE_JOB]: reduction(false),
  [PacketType.SUBMIT_REDUCE_JOB_BACKGROUND]: reduction(true),
  [PacketType.SUBMIT_JOB_EPOCH]: (session, packet) => {
    // Whole milliseconds, as storages keep them: Python's `time.time()` has seven digits behind the point.
    const at = Math.max(0, Math.ceil(Number(packet.byteString(2)) * 1_000));
    if (!Number.isSafeInteger(at)) return refuseSubmission(session, BAD_EPOCH);
    return submit(session, { ...background(packet, 3), at });
  },
  [PacketType.SUBMIT_JOB_SCHED]: (session, packet) => {
    const [minute, hour, dayOfMonth, month, dayOfWeek] = [2, 3, 4, 5, 6].map((index) => packet.byteString(index));
    const at = nextScheduled({ minute, hour, dayOfMonth, month, dayOfWeek }, session.host.time.date);
    if (at === undefined) return refuseSubmission(session, NO_SUCH_TIME);
    return submit(session, { ...background(packet, 7), at });
  },
  [PacketType.WORK_DATA]: ({ host, peer }, packet) =>
    host.engine.data(peer, packet.byteString(0), packet.compact(1)) && LOST_UPDATE,
  [PacketType.WORK_WARNING]: ({ host, peer }, packet) =>
    host.engine.warning(peer, packet.byteString(0), packet.compact(1)) && LOST_UPDATE,
  [PacketType.WORK_STATUS]: ({ host, peer }, packet) =>
    host.engine.progress(peer, packet.byteString(0), packet.byteString(1), beforeNul(packet.byteString(2))),
  [PacketType.WORK_COMPLETE]: ({ host, peer }, packet) =>
    host.engine.complete(peer, packet.byteString(0), packet.compact(1)),
  [PacketType.WORK_FAIL]: ({ host, peer }, packet) => host.engine.fail(peer, onlyArgument(packet)),
  [PacketType.WORK_EXCEPTION]: ({ host, peer }, packet) =>
    host.engine.exception(peer, packet.byteString(0), packet.compact(1)) && LOST_EXCEPTION,
  [PacketType.ECHO_REQ]: (session, packet) => {
    const data = packet.compact(0);
    if (data === HEARTBEAT) session.replyAhead(PacketType.ECHO_RES, [data]);
    else session.reply(PacketType.ECHO_RES, [data]);
    return undefined;
  },
  [PacketType.OPTION_REQ]: (session, packet) => {
    const asked = packet.byteString(0);
    if (session.wantsMetadata && asked.startsWith(METADATA_PREFIX)) {
      return keepMetadata(session, asked.slice(METADATA_PREFIX.length));
    }
    const argument = beforeNul(asked);
    const option = argument.toLowerCase();
    if (option.startsWith(FOLLOW) && session.host.storedJobs) {
      return follow(session, asked, argument.slice(FOLLOW.length));
    }
    if (session.peer.knowsWithdrawals && option.startsWith(WITHDRAW)) {
      session.host.engine.withdrawWait(session.peer, argument.slice(WITHDRAW.length));
    } else if (option === OPTION.withdrawals) session.peer.knowsWithdrawals = true;
    else if (option === OPTION.exceptions) session.peer.wantsExceptions = true;
    else if (option === OPTION.results && session.host.storedJobs) session.wantsResults = true;
    else if (option === OPTION.attempts) session.wantsAttempts = true;
    else if (option === OPTION.metadata) session.wantsMetadata = true;
    // Workers ask by this option whether a client without exceptions hears WORK_FAIL in place of one: only
    // here it does.
    else if (option !== OPTION.cleanExceptions) return UNKNOWN_OPTION;
    session.reply(PacketType.OPTION_RES, [asked]);
    return undefined;
  },
  [PacketType.GET_STATUS]: (session, packet) => {
    const handle = onlyArgument(packet);
    const job = session.host.engine.find(handle);
    const { storedJobs } = session.host;
    if (job || !storedJobs) return status(session, PacketType.STATUS_RES, handle, job, []);
    return session.deny('status') ?? answerStored(session, handle, storedJobs.find(handle));
  },
  [PacketType.GET_STATUS_UNIQUE]: (session, packet) => {
    const unique = onlyArgument(packet);
    const job = session.host.engine.findByUnique(unique);
    const { storedJobs } = session.host;
    if (job || !storedJobs) {
      return status(session, PacketType.STATUS_RES_UNIQUE, unique, job, [String(job?.clients?.length ?? 0)]);
    }
    return session.deny('status') ?? answerStoredUnique(session, unique, storedJobs.findUnique(unique));
  },
});

function commandsByNumber(commands: Partial<Record<PacketType, Command>>): readonly (Command | undefined)[] {
  return Array.from({ length: LAST_PACKET_TYPE + 1 }, (_, number) => commands[number as PacketType]);
}

function canDo(session: Conversation, name: string, timeout: number): Refusal | undefined {
  return session.deny('work', name) ?? session.host.engine.canDo(session.peer, name, timeout);
}

function grab(kind: GrabKind): Command {
  return (session) => {
    const job = session.host.engine.grab(session.peer, kind);
    if (job === undefined) session.noJob();
    else if (job !== 'kept') session.assign(job, kind);
    return undefined;
  };
}

function submission(priority: Priority, isBackground: boolean): Command {
  return (session, packet) =>
    submit(session, {
      function: functionOf(session, packet),
      unique: packet.byteString(1),
      workload: kept(packet.compact(2)),
      priority,
      isBackground,
      at: 0,
    });
}

/** The function of a submission: mostly the same as in the peer's last one, whose string is used again. */
function functionOf(session: Conversation, packet: Packet): ByteString {
  if (packet.is(0, session.lastFunction)) return session.lastFunction;
  const name = packet.byteString(0);
  // One that is too long is refused, and must not stay in memory.
  if (name.length <= MAX_FUNCTION_BYTES) session.lastFunction = name;
  return name;
}

/**
 * PROTOCOL gives a reduce job four arguments, gearmand wants five and puts one
 * more before the workload; libgearman sends five. Where a NUL stands behind
 * the reducer, there are five.
 */
function reduction(isBackground: boolean): Command {
  return (session, packet) => {
    const rest = packet.bytes(3);
    const separator = rest.indexOf(0);
    return submit(session, {
      function: packet.byteString(0),
      unique: packet.byteString(1),
      reducer: packet.byteString(2),
      workload: kept(separator < 0 ? rest : rest.subarray(separator + 1)),
      priority: Priority.normal,
      isBackground,
      at: 0,
    });
  };
}

function background(packet: Packet, workloadIndex: number): JobSpec {
  return {
    function: packet.byteString(0),
    unique: packet.byteString(1),
    workload: kept(packet.compact(workloadIndex)),
    priority: Priority.normal,
    isBackground: true,
    at: 0,
  };
}

/** A workload as a queue should keep it: a view into a much larger chunk would keep all of that chunk. */
function kept(workload: Argument): Workload {
  if (typeof workload === 'string' || workload.length * 2 > workload.buffer.byteLength) return workload;
  return Uint8Array.prototype.slice.call(workload);
}

/** Metadata of the peer's next submission. They have no answer of their own: only the submission has. */
function keepMetadata(session: Conversation, metadata: ByteString): Refusal | undefined {
  session.nextMetadata = undefined;
  if (metadata.length > MAX_METADATA_BYTES) return LONG_METADATA;
  session.nextMetadata = metadata;
  return undefined;
}

/**
 * A peer waits for a job that is leased here. Not for one that is only followed here, or two job
 * servers could wait for each other.
 */
function follow(session: Conversation, asked: ByteString, handle: ByteString): Refusal | undefined {
  const { engine } = session.host;
  const job = engine.find(handle);
  if (!job?.isStored) return NOT_HERE;
  const denied = session.deny('status', job.function_.name);
  if (denied) return denied;
  engine.waitFor(job, session.peer);
  session.reply(PacketType.OPTION_RES, [asked]);
  if (job.denominator !== '0') session.reply(PacketType.WORK_STATUS, [handle, job.numerator, job.denominator]);
  return undefined;
}

/** Refuses a submission that cannot be read; its metadata are not for the next one. */
function refuseSubmission(session: Conversation, refusal: Refusal): Refusal {
  session.nextMetadata = undefined;
  return refusal;
}

function submit(session: Conversation, bare: JobSpec): Refusal | undefined {
  const { nextMetadata: metadata } = session;
  const spec = metadata === undefined ? bare : { ...bare, metadata };
  session.nextMetadata = undefined;
  const denied = session.deny('submit', spec.function);
  if (denied) return denied;
  const submitted = session.host.submit(spec, session.peer);
  if (submitted instanceof Answer) answerLater(session, submitted);
  else answerSubmission(session, session.replies, submitted);
  return undefined;
}

function answerSubmission(session: Conversation, replies: Replies, submitted: Submitted): void {
  if (submitted instanceof Refusal) session.refuse(submitted, replies);
  else replies.send(PacketType.JOB_CREATED, [submitted]);
}

/** Keeps the submission's place among the replies until the job is on disk. */
function answerLater(session: Conversation, answer: Answer): void {
  const place = session.replies.reserve();
  answer.hear((submitted) => {
    try {
      answerSubmission(session, place, submitted);
      place.finish();
    } catch (error) {
      session.abort(error as Error);
    }
  });
}

/**
 * GET_STATUS of a job the engine does not have: it may wait in storage, or have a kept result. A client that set the
 * option `results` is sent that result as WORK_COMPLETE, or WORK_FAIL (WORK_EXCEPTION with the option `exceptions`)
 * ahead of the answer, which says "unknown" to everybody, as for any ended job.
 */
function answerStored(session: Conversation, handle: string, finding: Promise<StoredState>): undefined {
  return answerWhenFound(session, finding, (place, found) => {
    if (session.wantsResults && found.state === 'complete') {
      place.send(PacketType.WORK_COMPLETE, [handle, found.result]);
    } else if (session.wantsResults && found.state === 'failed') {
      // Why it failed is sent to a client that asked for exceptions, as when a job ends.
      if (session.peer.wantsExceptions) place.send(PacketType.WORK_EXCEPTION, [handle, found.result]);
      else place.send(PacketType.WORK_FAIL, [handle]);
    }
    place.send(PacketType.STATUS_RES, [handle, ...stateFields(found)]);
  });
}

/** Known, running, and the progress: the fields of an answer about a job that the engine does not have. */
function stateFields(found: StoredState): string[] {
  if (found.state === 'running') return ['1', '1', found.numerator, found.denominator];
  return [found.state === 'waiting' ? '1' : '0', '0', '0', '0'];
}

/** GET_STATUS_UNIQUE of a unique that the engine does not have. */
function answerStoredUnique(session: Conversation, unique: string, finding: Promise<StoredState>): undefined {
  return answerWhenFound(session, finding, (place, found) => {
    place.send(PacketType.STATUS_RES_UNIQUE, [unique, ...stateFields(found), '0']);
  });
}

/**
 * Keeps a question's place among the replies until the storage has answered; where it cannot read,
 * the answer is an ERROR.
 */
function answerWhenFound<Found>(
  session: Conversation,
  finding: Promise<Found>,
  answer: (replies: Replies, found: Found) => void,
): undefined {
  const place = session.replies.reserve();
  finding
    .then((found) => answer(place, found))
    .catch((error: Error) => answerSubmission(session, place, queueError(error)))
    .then(() => place.finish())
    .catch((error: Error) => session.abort(error));
  return undefined;
}

function status(
  session: Conversation,
  type: PacketType,
  name: string,
  job: Job | undefined,
  more: readonly string[],
): Refusal | undefined {
  const denied = session.deny('status', job?.function_.name);
  if (denied) return denied;
  const isRunning = job?.state === 'running';
  const progress = job ? [job.numerator, job.denominator] : ['0', '0'];
  session.reply(type, [name, job ? '1' : '0', isRunning ? '1' : '0', ...progress, ...more]);
  return undefined;
}
