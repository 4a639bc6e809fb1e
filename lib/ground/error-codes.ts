/** An error of this package, as its page has it. */
export interface ErrorDescription {
  /** The classes that have the code. */
  readonly thrownAs: string;
  /** What happened. */
  readonly what: string;
  /** What to do about it. */
  readonly cure: string;
}

/**
 * Every code a {@link GearmanError} can have, with what happened and the cure:
 * docs/errors.md is made from it, in its order. Codes stay; new ones may come.
 */
export const GEARMAN_ERRORS = describe({
  GEARMAN_INVALID_OPTION: {
    thrownAs: 'InvalidOptionError',
    what: 'An option or argument is not what it may be. `option` names it.',
    cure: 'The message says what is allowed and what was given.',
  },
  GEARMAN_CONNECT_FAILED: {
    thrownAs: 'ConnectError',
    what: 'One job server could not be reached, or what answered is no job server. `server` names it.',
    cure: 'Look whether it runs, and whether the address, the port and `tls` are right. Attempts go on by themselves.',
  },
  GEARMAN_NO_SERVER: {
    thrownAs: 'NoServerError',
    what: 'No job server could be reached within `connectTimeout`. The message has the reason of each.',
    cure: 'Start one at an address of `servers`, or raise `connectTimeout`.',
  },
  GEARMAN_CONNECTION_LOST: {
    thrownAs: 'ConnectionLostError',
    what: 'A connection to a job server ended before its answer came, and asking again would not be safe.',
    cure: 'Submit again where the job may run twice; name a second job server so that jobs move there.',
  },
  GEARMAN_SERVER_ERROR: {
    thrownAs: 'ServerError',
    what: 'Every connected job server answered with an ERROR packet. `serverCode` and `serverText` are its words.',
    cure: "QUEUE_ERROR: the queue is full or the storage refuses; wait, or raise the limit. Others: see the job server's log.",
  },
  GEARMAN_PROTOCOL_ERROR: {
    thrownAs: 'UnexpectedPacketError, GearmanError',
    what: 'A job server sent a packet or an admin answer that it must not send, or not then.',
    cure: 'Look whether the address is that of a job server, and what stands between. Please report it where it is ours.',
  },
  GEARMAN_BAD_MAGIC: {
    thrownAs: 'ProtocolError',
    what: 'Bytes came where a packet should begin, and none begins with them. Mostly the `cause` of a lost connection.',
    cure: "Only one end speaks TLS, or the port is another program's: make both ends agree.",
  },
  GEARMAN_UNKNOWN_PACKET_TYPE: {
    thrownAs: 'ProtocolError',
    what: 'A packet came with a number that the protocol does not have.',
    cure: 'Look what the peer is; it speaks no Gearman, or a newer one.',
  },
  GEARMAN_PACKET_TOO_LARGE: {
    thrownAs: 'ProtocolError',
    what: 'A packet is longer than `maxPacketBytes`.',
    cure: 'Raise `maxPacketBytes` on both sides, or send a reference in place of the data.',
  },
  GEARMAN_LINE_TOO_LONG: {
    thrownAs: 'ProtocolError',
    what: 'An admin line did not end within its limit.',
    cure: 'Shorten the command.',
  },
  GEARMAN_MISSING_ARGUMENT: {
    thrownAs: 'ProtocolError',
    what: 'A packet has fewer arguments than its type has.',
    cure: 'It is a fault of the peer that sent it.',
  },
  GEARMAN_INVALID_ARGUMENT: {
    thrownAs: 'ProtocolError',
    what: 'An argument cannot travel: there is a NUL in it.',
    cure: 'Leave the NUL out of functions, uniques, handles and names; workloads may have it.',
  },
  GEARMAN_SEND_BUFFER_FULL: {
    thrownAs: 'SendBufferFullError',
    what: 'A peer left more unread than `maxSendBufferBytes`, and was disconnected. Mostly the `cause` of a lost connection.',
    cure: 'Find out why it does not read; raise `maxSendBufferBytes` for large results.',
  },
  GEARMAN_CLOSED: {
    thrownAs: 'ClosedError',
    what: 'The client or worker was closed before the answer came.',
    cure: 'Await what is pending before `close()`.',
  },
  GEARMAN_TIMEOUT: {
    thrownAs: 'TimeoutError, JobTimeoutError',
    what: 'Something took longer than it may; the message names the option that says how long. The job may still run.',
    cure: 'Look whether a worker serves the function; raise the option for jobs that are long without a sign of life.',
  },
  GEARMAN_JOB_FAILED: {
    thrownAs: 'JobFailedError',
    what: 'A job ended with WORK_FAIL: its worker failed, or was lost too often.',
    cure: "See the worker's log; Gearman tells callers no reason with WORK_FAIL.",
  },
  GEARMAN_JOB_EXCEPTION: {
    thrownAs: 'JobExceptionError',
    what: 'A job ended with WORK_EXCEPTION. `bytes` is what its worker said.',
    cure: "Mend what it says; see the worker's log.",
  },
  GEARMAN_HANDLER_FAILED: {
    thrownAs: 'HandlerError',
    what: "On the worker's side: a handler threw, and its job failed. `cause` is what it threw.",
    cure: 'Mend the handler, or throw `RpcException` (with the driver alone, `WorkException`) where callers are to hear why.',
  },
  GEARMAN_JOB_ABANDONED: {
    thrownAs: 'JobAbandonedError',
    what: "On the worker's side, the reason of a job's aborted signal: nobody waits for the job any more.",
    cure: 'Nothing: stop the work, its result is wanted by nobody.',
  },
  GEARMAN_INVALID_WORKLOAD: {
    thrownAs: 'WorkloadFormatError',
    what: 'A value does not fit its format, or bytes are invalid in it.',
    cure: 'Declare one `format` on both sides of the function; for foreign peers mostly `text` or `raw`.',
  },
  GEARMAN_INVALID_PATTERN: {
    thrownAs: 'GearmanError',
    what: 'A pattern can be no function: a regular expression, nothing, or a text with NUL.',
    cure: 'Use a text, a number or an object of those.',
  },
  GEARMAN_DUPLICATE_PATTERN: {
    thrownAs: 'GearmanError',
    what: 'A function has two message handlers, or message and event handlers.',
    cure: 'Use one `@MessagePattern`, or only `@EventPattern`s, or give one of them another name.',
  },
  GEARMAN_NO_ANSWER: {
    thrownAs: 'GearmanError',
    what: 'In tests: the fake client was told no answer for a function.',
    cure: '`client.answer(pattern, (data) => ...)`.',
  },
  GEARMAN_LISTEN_FAILED: {
    thrownAs: 'ListenError',
    what: "The job server cannot listen on an address. `systemCode` is the system's, as EADDRINUSE.",
    cure: 'End the program that listens there, or choose an address and a port that this user may use.',
  },
  GEARMAN_CERTIFICATE: {
    thrownAs: 'CertificateError',
    what: 'A certificate file of a listener cannot be read, or the files do not fit together.',
    cure: 'The message names the file and what is wrong with it.',
  },
  GEARMAN_STORAGE_FULL: {
    thrownAs: 'StorageError',
    what: 'The disk, or the quota, is full. Submissions are refused; what was accepted is safe.',
    cure: 'Make room: the job server goes on by itself.',
  },
  GEARMAN_STORAGE_READ_ONLY: {
    thrownAs: 'StorageError',
    what: 'The disk or the folder cannot be written.',
    cure: 'Give the folder to the user the job server runs as; look whether the disk was mounted read-only after a fault.',
  },
  GEARMAN_STORAGE_IO: {
    thrownAs: 'StorageError',
    what: 'The disk failed.',
    cure: "Check the disk and the system's log. Restore from a backup what cannot be read.",
  },
  GEARMAN_STORAGE_IN_USE: {
    thrownAs: 'StorageError',
    what: 'Another process, or another storage of this one, owns the folder.',
    cure: 'End it, or give each job server a folder of its own.',
  },
  GEARMAN_STORAGE_TAKEN_OVER: {
    thrownAs: 'StorageError',
    what: 'Another process took the folder over while this one was away; this one writes no more.',
    cure: 'End this job server; see that only one is started for a folder.',
  },
  GEARMAN_STORAGE_VERSION: {
    thrownAs: 'StorageError',
    what: 'The data was written by a version this one does not know.',
    cure: 'Use the version that wrote it, or a newer one.',
  },
  GEARMAN_STORAGE_CORRUPT: {
    thrownAs: 'StorageError',
    what: 'A file cannot be trusted: it was changed or damaged from outside.',
    cure: 'Restore it from a backup; the message names the file.',
  },
  GEARMAN_STORAGE_UNREACHABLE: {
    thrownAs: 'StorageError',
    what: 'The database cannot be reached, or it is not known whether it did what it was asked.',
    cure: 'Look after the database and the network; the job server tries again by itself.',
  },
  GEARMAN_STORAGE_MISSING_PACKAGE: {
    thrownAs: 'StorageError',
    what: 'A package that the storage needs is not installed.',
    cure: 'Install it; the message has the command.',
  },
  GEARMAN_STORAGE_CLOSED: {
    thrownAs: 'StorageError',
    what: 'The storage is not open.',
    cure: 'Open it first, and use it no more after `close()`.',
  },
  GEARMAN_STORAGE_INVALID: {
    thrownAs: 'StorageError',
    what: 'What was given cannot be stored, or the folder named is not fit for it.',
    cure: 'The message says what is allowed.',
  },
});

/** The codes of {@link GearmanError}. */
export type GearmanErrorCode = keyof typeof GEARMAN_ERRORS;

function describe<Code extends `GEARMAN_${string}`>(
  errors: Record<Code, ErrorDescription>,
): Readonly<Record<Code, ErrorDescription>> {
  return errors;
}
