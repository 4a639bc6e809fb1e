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
    what: 'An option or argument has a value that is not allowed. `option` names it.',
    cure: 'The message says what is allowed and what was given.',
  },
  GEARMAN_CONNECT_FAILED: {
    thrownAs: 'ConnectError',
    what: 'One job server could not be reached, or the program that answered is not a job server. `server` names it.',
    cure: 'Check that it runs, and that the address, the port and `tls` are right. Attempts go on by themselves.',
  },
  GEARMAN_NO_SERVER: {
    thrownAs: 'NoServerError',
    what: 'No job server could be reached within `connectTimeout`. The message has the reason for each.',
    cure: 'Start one at an address of `servers`, or raise `connectTimeout`.',
  },
  GEARMAN_CONNECTION_LOST: {
    thrownAs: 'ConnectionLostError',
    what: 'A connection to a job server ended before its answer came, and it would not be safe to ask again.',
    cure: 'Submit again if the job may run twice. Name a second job server, so that jobs can move there.',
  },
  GEARMAN_SERVER_ERROR: {
    thrownAs: 'ServerError',
    what: 'The job server, or each of several, answered with an ERROR packet. `serverCode` and `serverText` are what it said.',
    cure: "With QUEUE_ERROR the queue is full, or the storage cannot write: wait, or raise the limit. With others, see the job server's log.",
  },
  GEARMAN_PROTOCOL_ERROR: {
    thrownAs: 'UnexpectedPacketError, GearmanError',
    what: 'A job server sent a packet or an admin answer that the protocol does not allow, or not at that moment.',
    cure: 'Check that the address is that of a job server, and what stands between. If the job server is ours, please report it.',
  },
  GEARMAN_BAD_MAGIC: {
    thrownAs: 'ProtocolError',
    what: 'Bytes came where a packet should begin, but no packet begins like this. It is mostly the `cause` of a lost connection.',
    cure: 'Only one end speaks TLS, or another program has this port. Make both ends agree.',
  },
  GEARMAN_UNKNOWN_PACKET_TYPE: {
    thrownAs: 'ProtocolError',
    what: 'A packet came with a number that the protocol does not have.',
    cure: 'Check what the peer is: it does not speak Gearman, or it speaks a newer version.',
  },
  GEARMAN_PACKET_TOO_LARGE: {
    thrownAs: 'ProtocolError',
    what: 'A packet is longer than `maxPacketBytes`.',
    cure: 'Raise `maxPacketBytes` on both sides, or send a reference in place of the data.',
  },
  GEARMAN_LINE_TOO_LONG: {
    thrownAs: 'ProtocolError',
    what: 'An admin command is longer than its limit.',
    cure: 'Shorten the command.',
  },
  GEARMAN_MISSING_ARGUMENT: {
    thrownAs: 'ProtocolError',
    what: 'A packet has fewer arguments than its type has.',
    cure: 'Mend the peer that sent it.',
  },
  GEARMAN_INVALID_ARGUMENT: {
    thrownAs: 'ProtocolError',
    what: 'An argument cannot be sent, because it contains a NUL.',
    cure: 'Leave the NUL out of functions, uniques, handles and names; workloads may have it.',
  },
  GEARMAN_SEND_BUFFER_FULL: {
    thrownAs: 'SendBufferFullError',
    what: 'A peer did not read until more than `maxSendBufferBytes` waited for it, and was disconnected. It is mostly the `cause` of a lost connection.',
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
    cure: 'Check that a worker serves the function. Raise the option if its jobs run for long without saying anything.',
  },
  GEARMAN_JOB_FAILED: {
    thrownAs: 'JobFailedError',
    what: 'A job ended with WORK_FAIL: its worker failed, or was lost too often.',
    cure: "See the worker's log, because WORK_FAIL brings no reason.",
  },
  GEARMAN_JOB_EXCEPTION: {
    thrownAs: 'JobExceptionError',
    what: 'A job ended with WORK_EXCEPTION. `bytes` is what its worker said.',
    cure: "Mend what it names; see the worker's log.",
  },
  GEARMAN_HANDLER_FAILED: {
    thrownAs: 'HandlerError',
    what: "On the worker's side: a handler threw, and its job failed. `cause` is what it threw.",
    cure: 'Mend the handler. To tell callers why, throw `RpcException`, or `WorkException` with the driver alone.',
  },
  GEARMAN_JOB_ABANDONED: {
    thrownAs: 'JobAbandonedError',
    what: "On the worker's side, the reason of a job's aborted signal: nobody waits for the job any more.",
    cure: 'Nothing is wrong: stop the work, because nobody wants its result.',
  },
  GEARMAN_INVALID_WORKLOAD: {
    thrownAs: 'WorkloadFormatError',
    what: 'A value does not fit its format, or bytes are invalid in it.',
    cure: 'Declare one `format` on both sides of the function; for foreign peers mostly `text` or `raw`.',
  },
  GEARMAN_INVALID_PATTERN: {
    thrownAs: 'GearmanError',
    what: 'A pattern cannot name a function: it is a regular expression, empty, or a text with NUL.',
    cure: 'Use a text, a number or an object of those.',
  },
  GEARMAN_DUPLICATE_PATTERN: {
    thrownAs: 'GearmanError',
    what: 'A function has two message handlers, or message and event handlers.',
    cure: 'Use one `@MessagePattern`, or only `@EventPattern`s, or give one of them another name.',
  },
  GEARMAN_NO_ANSWER: {
    thrownAs: 'GearmanError',
    what: 'In tests: the fake client does not know what to answer for a function.',
    cure: '`client.answer(pattern, (data) => ...)`.',
  },
  GEARMAN_LISTEN_FAILED: {
    thrownAs: 'ListenError',
    what: 'The job server cannot listen on an address. `systemCode` is the code of the operating system, such as EADDRINUSE.',
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
    cure: 'Make room. The job server then goes on by itself.',
  },
  GEARMAN_STORAGE_READ_ONLY: {
    thrownAs: 'StorageError',
    what: 'The disk or the folder cannot be written.',
    cure: 'Give the folder to the user that the job server runs as. Check whether the disk was mounted read-only after a fault.',
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
    what: 'Another process took over the folder while this one was away. This one does not write any more.',
    cure: 'End this job server, and start only one for each folder.',
  },
  GEARMAN_STORAGE_VERSION: {
    thrownAs: 'StorageError',
    what: 'The data was written by a version that this one does not know.',
    cure: 'Use the version that wrote it, or a newer one.',
  },
  GEARMAN_STORAGE_CORRUPT: {
    thrownAs: 'StorageError',
    what: 'A file cannot be trusted: it was changed or damaged from outside.',
    cure: 'Restore it from a backup; the message names the file.',
  },
  GEARMAN_STORAGE_UNREACHABLE: {
    thrownAs: 'StorageError',
    what: 'The database cannot be reached, or nobody knows whether it did what it was asked.',
    cure: 'Check the database and the network. The job server tries again by itself.',
  },
  GEARMAN_STORAGE_REFUSED: {
    thrownAs: 'StorageError',
    what: 'The database refused a statement, which has not happened.',
    cure: 'The message has its reason and what to do. The job server tries again by itself.',
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
    what: 'A value cannot be stored, or the folder that was named cannot be used.',
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
