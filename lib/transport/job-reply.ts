import type { WritePacket } from '@nestjs/microservices';
import { WorkException, type AssignedJob } from '../driver/index.js';
import { encodeException } from './exception-body.js';

/** What a {@link JobReply} tells its owner, once. */
interface ReplySettler {
  resolve(result: Uint8Array): void;
  reject(error: Error): void;
}

/**
 * Makes what Nest responds what the job's clients hear.
 *
 * Nest says for each value whether the stream ended with it. A value that did
 * not end it is WORK_DATA, sent at once; one that did is the WORK_COMPLETE. So
 * a promise, and a stream that emits one value and ends, is a plain result to
 * every client; and a stream reaches the caller as it flows. A stream that
 * ends later than its last value has an empty WORK_COMPLETE.
 *
 * A last value of zero bytes behind others goes as WORK_DATA too: an empty
 * WORK_COMPLETE behind WORK_DATA is no value, but the end.
 */
export class JobReply {
  private hasSentData = false;
  /** Bytes of WORK_DATA since we last waited until all had left. */
  private undrainedBytes = 0;
  private isSettled = false;

  constructor(
    private readonly job: AssignedJob,
    private readonly encode: (value: unknown) => Uint8Array,
    private readonly settler: ReplySettler,
    private readonly reportFailure: (error: unknown) => void,
  ) {}

  /**
   * Takes Nest's next packet; what it returns is awaited before the one after.
   * Never throws: on Nest 11 nobody would catch it.
   */
  readonly respond = (packet: WritePacket): Promise<void> | undefined => {
    if (this.isSettled) return undefined;
    try {
      if ('err' in packet) this.fail(packet.err);
      else if (!packet.isDisposed) return this.sendData(this.encode(packet.response));
      else if ('response' in packet) this.completeWith(this.encode(packet.response));
      else this.settleWith(() => this.settler.resolve(NO_BYTES));
    } catch (error) {
      this.fail(error);
    }
    return undefined;
  };

  /** Ends the job with an exception that carries the error. */
  fail(error: unknown): void {
    if (this.isSettled) return;
    this.reportFailure(error);
    this.settleWith(() => this.settler.reject(new WorkException(encodeException(error), { cause: error })));
  }

  private completeWith(result: Uint8Array): void {
    if (result.length === 0 && this.hasSentData) this.job.data(result);
    this.settleWith(() => this.settler.resolve(result));
  }

  /** The promise holds a stream back that is faster than the job server reads. */
  private sendData(bytes: Uint8Array): Promise<void> | undefined {
    this.hasSentData = true;
    this.job.data(bytes);
    this.undrainedBytes += bytes.length;
    if (this.undrainedBytes < DRAIN_EVERY_BYTES) return undefined;
    this.undrainedBytes = 0;
    return this.job.drained();
  }

  private settleWith(settle: () => void): void {
    this.isSettled = true;
    settle();
  }
}

/** How much of a stream is handed over before its packets wait until that has left. */
const DRAIN_EVERY_BYTES = 64 * 1024;

const NO_BYTES = new Uint8Array(0);
